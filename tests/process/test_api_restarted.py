"""HMP commands by name while the bridge is stopped, killed or away: one answer each, as ever."""

import json
import signal
import sqlite3
from contextlib import closing

import pytest

from bridge.journal.file import FileStore
from bridge.journal.journal import Journal

from .cutter import Cutter
from .hmp import UNKNOWN, session_of
from .requester import Ask
from .site import MakeSite, Site, with_api


def test_stopped_while_requests_wait(site: MakeSite, asking: Ask) -> None:
    """SIGTERM answers what waits, and says that nothing was sent; the next start adds nothing."""
    s = with_api(site)
    requester = asking(s)
    s.hmp.kill()
    s.panel.wait_for_newest("server/main/state", "refused")
    requester.send("server/main/request/createSession", {"id": "w", "sessionTitle": "w"})
    requester.send("server/main/request/getRecordingStatus", {"id": "v", "recordingId": UNKNOWN})
    s.panel.publish("room/r0/set", json.dumps({"action": "pause", "id": "p"}))
    s.panel.wait_for_results("r0", 1)
    assert requester.request("bridge/request/info")["outcome"] == "ok"
    assert s.daemon.stop() == 0
    for each in ("w", "v"):
        [heard] = requester.heard.until(lambda _, each=each: requester.answers(each), each)  # type: ignore[misc]
        assert heard.answer["outcome"] == "expired"
        assert heard.answer["error"]["code"] == "stopping"
    since = s.panel.mark()
    s.add_daemon(state=s.daemon.state)
    s.daemon.wait_for_line("mqtt connected")
    assert requester.request("bridge/request/info")["outcome"] == "ok"
    assert [len(requester.answers(each)) for each in ("w", "v")] == [1, 1]
    s.panel.wait_for("bridge/response/info", since=since)
    assert len(s.panel.wait_for_results("r0", 1)) == 1


@pytest.mark.mqtt5
@pytest.mark.parametrize(
    ("command", "parameters"),
    [("createSession", ["killed"]), ("startRecording", [session_of(0)])],
)
def test_killed_between_acknowledgement_and_answer(
    site: MakeSite, asking: Ask, command: str, parameters: list[str]
) -> None:
    """The next process gives the one answer, to the Response Topic too, and sends nothing twice."""
    s = with_api(site, room={"on_lost_start": "hold"})
    requester = asking(s, mqtt5=True)
    s.hmp.fault(f"slow_reply:{command}:600:count=1")
    requester.send(
        f"server/main/request/{command}",
        {"id": "k", "parameters": parameters},
        response_topic=f"{requester.inbox}/k",
        correlation=b"k",
    )
    s.hmp.wait_until(lambda hmp: hmp.commands(command), "the command carried out")
    s.daemon.stop(signal.SIGKILL)
    state = s.daemon.state
    assert requester.answers("k") == []
    s.add_daemon(state=state)
    requester.heard.until(lambda _: requester.answers("k")[1:], "the answer on both topics")
    assert requester.request("bridge/request/info")["outcome"] == "ok"
    answers = {each.topic: each for each in requester.answers("k")}
    mine = answers.pop(f"{requester.inbox}/k")
    usual = answers.pop(f"{s.base}/server/main/response/{command}")
    assert not answers
    assert mine.correlation == b"k"
    assert mine.payload == usual.payload
    assert mine.answer["outcome"] == "unknown"
    assert mine.answer["error"]["explanation"]
    assert len(requester.answers("k")) == 2
    assert len(s.hmp.commands(command)) == 1


def journalled(s: Site) -> str:
    """What the journal has of the requests to the server."""
    with closing(sqlite3.connect(s.daemon.state / "journal.db")) as journal:
        rows = journal.execute("SELECT document FROM rooms WHERE room = 'server/main'").fetchall()
    return "".join(document for (document,) in rows)


@pytest.mark.mqtt5
def test_a_server_that_is_gone_still_gets_its_requests_answered(
    site: MakeSite, asking: Ask
) -> None:
    """It was renamed while the bridge was down; who asked waits on the topic of then."""
    s = with_api(site)
    requester = asking(s, mqtt5=True)
    s.hmp.fault("slow_reply:createSession:600:count=1")
    for number in range(2):  # the second waits for the first
        asked = {"id": f"k{number}", "parameters": ["killed"]}
        requester.send("server/main/request/createSession", asked, wait=False)
    s.hmp.wait_until(lambda hmp: hmp.commands("createSession"), "the first carried out")
    s.hmp.wait_until(lambda _: "k1" in journalled(s), "the second taken in")
    s.daemon.stop(signal.SIGKILL)
    s.tables["servers"] = {"renamed": s.tables["servers"]["main"]}
    for room in s.tables["rooms"].values():
        room["server"] = "renamed"
    state = s.daemon.state
    s.add_daemon(state=state)
    requester.heard.until(lambda _: requester.answers("k1"), "both answers")
    [first], [second] = requester.answers("k0"), requester.answers("k1")
    assert first.topic == second.topic == f"{s.base}/server/main/response/createSession"
    assert (first.answer["outcome"], second.answer["outcome"]) == ("unknown", "expired")
    assert s.daemon.stop() == 0  # the arrival of the answers is written down
    s.add_daemon(state=state)  # so nothing is left, and what was kept of the server goes
    s.daemon.wait_for_line("mqtt connected")
    assert requester.request("bridge/request/info")["outcome"] == "ok"
    assert s.daemon.stop() == 0
    assert [len(requester.answers(f"k{number}")) for number in range(2)] == [1, 1]
    with closing(Journal(FileStore(state))) as journal:
        assert "server/main" not in journal.rooms()


@pytest.mark.mqtt5
@pytest.mark.parametrize(
    ("command", "parameters", "times"),
    [
        ("createSession", ["once"], 1),
        ("startRecording", [session_of(0)], 1),
        ("addHotmark", [UNKNOWN, "once"], 1),
        ("pauseRecording", [UNKNOWN], 1),
        ("deleteSession", [UNKNOWN], 2),
    ],
)
def test_killed_at_the_acknowledgement(
    site: MakeSite, asking: Ask, command: str, parameters: list[str], times: int
) -> None:
    """The broker never saw it and delivers the request again: what would do harm is not repeated.

    What can be repeated is carried out again, for its answer may have been lost.
    """
    s = with_api(site, start=False, room={"on_lost_start": "hold"})
    with closing(Cutter(s.broker.port)) as line:
        s.tables["mqtt"]["port"] = line.port
        s.add_daemon()
        s.wait_ready()
        requester = asking(s, mqtt5=True)
        daemon = s.daemon
        asked = f"server/main/request/{command}"

        def kill() -> None:
            if times == 1:  # HMP has it by now, or never will
                s.hmp.wait_until(lambda hmp: hmp.commands(command), command)
            daemon.send_signal(signal.SIGKILL)

        line.arm_acknowledgement(f"{s.base}/{asked}", kill)
        requester.send(asked, {"id": "k", "parameters": parameters})
        daemon.wait()
        s.add_daemon(state=daemon.state)
        usual = f"{s.base}/server/main/response/{command}"
        requester.wait_for(usual)
        if times == 1:
            s.daemon.wait_for_line("redelivered message was carried out before")
        assert requester.request("bridge/request/info")["outcome"] == "ok"
        assert len(requester.answers("k")) == 1
        executed = len(s.hmp.commands(command))
        assert executed == 1 if times == 1 else 1 <= executed <= times


@pytest.mark.mqtt5
def test_what_waited_at_the_broker_for_too_long_is_not_sent(site: MakeSite, asking: Ask) -> None:
    """The bridge was away for an hour: stops count, and what says itself how long it keeps."""
    s = with_api(site)
    requester = asking(s, mqtt5=True)
    assert s.daemon.stop() == 0
    create = "server/main/request/createSession"
    requester.send(create, {"id": "old", "sessionTitle": "old"})
    requester.send(create, {"id": "kept", "sessionTitle": "kept"}, expiry=600)
    requester.send("server/main/request/startRecording", {"id": "r", "sessionId": session_of(0)})
    requester.send("server/main/request/stopRecording", {"id": "stop", "recordingId": UNKNOWN})
    with closing(sqlite3.connect(s.daemon.state / "journal.db")) as journal, journal:
        journal.execute("UPDATE contact SET monotonic = monotonic - 3600, wall = wall - 3600")
    s.add_daemon(state=s.daemon.state)
    for each, outcome, code in (
        ("old", "expired", "expired"),
        ("r", "expired", "expired"),
        ("kept", "ok", None),
        ("stop", "failed", "040001"),
    ):
        [heard] = requester.heard.until(lambda _, each=each: requester.answers(each), each)  # type: ignore[misc]
        assert heard.answer["outcome"] == outcome, each
        assert (heard.answer["error"] or {"code": None})["code"] == code
    assert s.hmp.recordings() == []
