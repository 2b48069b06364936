"""HMP commands by name, over a real broker, from MQTT 5 and MQTT 3.1.1 clients."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.hmp.peer import NOT_FOUND

from .hmp import SOURCE, UNKNOWN, session_of
from .requester import Ask
from .site import MakeSite, with_api
from .watched import PATIENCE

BOTH = pytest.mark.parametrize(
    "mqtt5", [pytest.param(True, id="5", marks=pytest.mark.mqtt5), pytest.param(False, id="3.1.1")]
)


@BOTH
def test_a_session_s_whole_life_by_name(site: MakeSite, asking: Ask, mqtt5: bool) -> None:
    """Made, recorded, described, replayed and removed; text arrives at HMP as it is."""
    s = with_api(site)
    ask = asking(s, mqtt5=mqtt5).ask
    title = 'He said "hi" | \\ é\nline two 🎥'
    made = ask("createSession", sessionTitle=title)
    session = made["value"]
    assert made == {
        "id": made["id"],
        "outcome": "ok",
        "value": session,
        "error": None,
        "raw": f"OK|{session}",
    }
    [row] = [row for row in s.hmp.do("snapshot")["sessions"] if row["id"] == session]
    assert row["title"] == title

    def done(command: str, *values: object, **parameters: Any) -> None:
        answer = ask(command, *values, **parameters)
        del answer["id"]
        assert answer == {"outcome": "ok", "value": None, "error": None, "raw": "OK"}, command

    done("setLiveSession", sessionId=session, active=True)
    done("addSourceToSession", session, SOURCE)
    done("updateSessionMetadata", session, "description", "a|b\tc")
    recording = ask("startRecording", session)["value"]
    done("addHotmark", recording, "Phase I")
    done("pauseRecording", recordingId=recording)
    assert ask("getRecordingStatus", recording)["value"] == "PAUSED"
    done("resumeRecording", recording)
    done("updateMetadata", recordingId=recording, fieldName="title", value="Weekly")
    done("stopRecording", recording)
    assert ask("getRecordingStatus", recording)["raw"] == "OK|FINISHED"
    stream = ask("startRestreamRecording", recording, "239.1.1.1", 5000)["value"]
    done("stopRestreamRecording", stream)
    done("removeSourceFromSession", session, SOURCE)
    done("deleteSession", session)
    # HMP knows nobody here, so it refuses; its own words come back beside ours.
    for command, given, code in (
        ("shareSessionWithUser", ["bob", "WATCH", session_of(0)], "040004"),
        ("shareSessionWithGroup", ["Staff", "RECORD", session_of(0)], "040005"),
        ("shareRecordingWithUser", ["bob", "OWN", recording], "040004"),
        ("shareRecordingWithGroup", ["Staff", "EDIT", recording], "040005"),
        ("setSessionCategory", [session_of(0), UNKNOWN, "HD", "4K"], "040007"),
        ("setCategory", [recording, UNKNOWN, "HD"], "040007"),
    ):
        answer = ask(command, *given)
        assert answer["outcome"] == "failed", command
        assert answer["error"]["code"] == code, command
        assert answer["raw"] == f"ERROR|{code}|{answer['error']['message']}"
        assert answer["error"]["explanation"]
        assert answer["value"] is None


@BOTH
def test_what_is_refused_never_reaches_hmp_and_says_what_would_be_right(
    site: MakeSite, asking: Ask, mqtt5: bool
) -> None:
    s = with_api(site, "getRecordingStatus", "createSession", "updateMetadata")
    panel, requester = s.panel, asking(s, mqtt5=mqtt5)
    executed = len(s.hmp.commands("createSession")) + len(s.hmp.commands("updateMetadata"))

    def refused(leaf: str, payload: object, code: str, *says: str, on: str | None = None) -> None:
        since = len(requester.heard)
        requester.send(leaf, payload)
        topic = f"{s.base}/{on or leaf.replace('/request/', '/response/')}"
        [heard] = requester.wait_for(topic, since=since)
        assert heard.answer["outcome"] == "failed"
        assert heard.answer["error"]["code"] == code
        text = json.dumps(heard.answer["error"], ensure_ascii=False)
        for each in says:
            assert each in text
        assert len(heard.payload) < 2000
        assert not heard.retained

    create, error = "server/main/request/createSession", "bridge/response/error"
    refused("server/main/request/startRecording", "[]", "not_allowed", "allow_commands")
    refused("server/main/request/createsession", "", "unknown_command", "createSession")
    refused("server/main/request/shareRecording", "", "unknown_command", "shareRecordingWith")
    refused("server/nosuch/request/createSession", "", "unknown_server", "main", on=error)
    refused(f"server/main/request/{'x' * 200}", "", "unknown_command", on=error)
    refused("server/main/request/", "", "unknown_command", on=error)
    refused(create, "{", "malformed", "JSON", "sessionTitle")
    refused(create, "Weekly", "malformed", "JSON", "sessionTitle")
    refused(create, "5", "malformed", "sessionTitle")
    refused(create, "", "malformed", "sessionTitle is missing")
    refused(create, "[]", "malformed", "takes 1 parameter(s)", "not 0")
    refused(create, ["a", "b"], "malformed", "not 2")
    refused(create, {"title": "a"}, "malformed", "no parameter of createSession (sessionTitle)")
    refused(create, {"sessionTitle": "a", "force": True}, "malformed", "force")
    refused(create, {"sessionTitle": 5}, "malformed", "must be text")
    refused(create, {"sessionTitle": "a\0b"}, "malformed", "U+0000")
    refused(create, {"sessionTitle": "a\rb"}, "malformed", "U+000D")
    refused(create, {"sessionTitle": "x" * 10_000}, "malformed", "10000", "255")
    refused(create, {"sessionTitle": "x" * 201_000}, "malformed", "200000")
    refused(create, '{"sessionTitle":"a","sessionTitle":"b"}', "malformed", "twice")
    refused(create, '{"sessionTitle":"\\ud800"}', "malformed")
    refused(create, b"\xff\xfe", "malformed", "UTF-8")
    refused(create, "[" * 50_000, "malformed", "JSON")
    refused(create, {"id": {}, "sessionTitle": "a"}, "malformed", "id")
    refused(create, {"id": "x" * 1100, "sessionTitle": "a"}, "malformed", "1024")
    refused(create, {"parameters": ["a"], "sessionTitle": "a"}, "malformed", "parameters")
    refused("server/main/request/getRecordingStatus", ["a|b\ncreateSession x"], "malformed", "UUID")
    refused("server/main/request/updateMetadata", [UNKNOWN, "colour", "x"], "malformed", "title")
    refused("bridge/request/infos", "", "unknown_verb", "info")
    refused("bridge/request/info", {"x": 1}, "malformed", "x")
    assert len(s.hmp.commands("createSession")) + len(s.hmp.commands("updateMetadata")) == executed
    # The bridge is as well as before, and answered each once.
    assert requester.ask("createSession", "after all that")["outcome"] == "ok"
    assert panel.newest("bridge/state") == "online"
    assert s.daemon.lines_with("level=error") == []


@pytest.mark.mqtt5
def test_the_response_topic_gets_the_answer_with_its_correlation_data(
    site: MakeSite, asking: Ask
) -> None:
    """Of what went well, of what did not, and of what was not understood."""
    s = with_api(site, "getRecordingStatus")
    requester = asking(s, mqtt5=True)
    ask = "server/main/request/getRecordingStatus"
    for number, (leaf, payload, outcome) in enumerate(
        [
            (ask, {"id": 7, "recordingId": UNKNOWN}, "failed"),
            (ask, "nonsense", "failed"),
            ("server/nosuch/request/getRecordingStatus", "", "failed"),
            ("server/main/request/stopRecording", "", "failed"),
            ("bridge/request/info", "", "ok"),
            ("bridge/request/nosuch", "", "failed"),
        ]
    ):
        topic, data = f"{requester.inbox}/{number}", bytes([0, 255, number])
        requester.send(leaf, payload, response_topic=topic, correlation=data)
        [heard] = requester.wait_for(topic)
        assert heard.correlation == data
        assert heard.answer["outcome"] == outcome
        twice = requester.heard.until(
            lambda heard, same=heard: [h for h in heard if h.payload == same.payload][1:],  # type: ignore[misc]
            "the same answer on our own topic",
        )
        assert twice[0].topic.startswith(f"{s.base}/")
    assert requester.answers(7)[0].answer["raw"] == NOT_FOUND
    # A client may name our own topic for the answer; then it comes there once, with its data.
    own = f"{s.base}/server/main/response/getRecordingStatus"
    since = len(requester.heard)
    requester.send(ask, {"id": 8, "recordingId": UNKNOWN}, response_topic=own, correlation=b"8")
    [heard] = requester.wait_for(own, since=since)
    assert heard.correlation == b"8"
    assert requester.request("bridge/request/info")["outcome"] == "ok"
    assert len(requester.answers(8)) == 1


@pytest.mark.mqtt5
@pytest.mark.parametrize(
    "topic",
    [
        "room/r0/state",
        "room/r0/mark",
        "room/r0/press/record",
        "bridge/state",
        "bridge/request/announce",
        "server/main/request/createSession",
        "server/main/response/createSession",
        "others/lock/set",
    ],
)
def test_no_answer_goes_where_it_would_do_harm(site: MakeSite, asking: Ask, topic: str) -> None:
    """A Response Topic of the bridge's own, or that no list allows, is ignored; the answer comes
    on its usual topic."""
    s = with_api(site, "getRecordingStatus", "createSession")
    requester = asking(s, mqtt5=True)
    since = s.panel.mark()
    requester.send(
        "server/main/request/getRecordingStatus",
        {"id": "a", "recordingId": UNKNOWN},
        response_topic=f"{s.base}/{topic}",
    )
    requester.wait_for(f"{s.base}/server/main/response/getRecordingStatus")
    s.daemon.wait_for_line("response topic ignored")
    assert requester.request("bridge/request/info")["outcome"] == "ok"
    assert s.panel.messages(topic, since) == []
    assert len(requester.answers("a")) == 1


@pytest.mark.skipif(shutil.which("mosquitto_rr") is None, reason="needs mosquitto-clients")
@pytest.mark.mqtt5
def test_mosquitto_rr_gets_its_answer(site: MakeSite) -> None:
    s = with_api(site)
    done = subprocess.run(
        [
            *("mosquitto_rr", "-h", "127.0.0.1", "-p", str(s.broker.port), "-q", "1"),
            *("-t", f"{s.base}/server/main/request/getRecordingStatus", "-e", "answers/of/mine"),
            *("-m", json.dumps({"id": "rr", "recordingId": UNKNOWN}), "-W", f"{PATIENCE:.0f}"),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["id"] == "rr"
    assert answer["raw"] == NOT_FOUND


@BOTH
def test_off_unless_listed_and_never_for_retained_messages(
    site: MakeSite, asking: Ask, mqtt5: bool
) -> None:
    s = site()
    requester = asking(s, mqtt5=mqtt5)
    answer = requester.ask("createSession", "x")
    assert answer["error"]["code"] == "not_allowed"
    assert "allowed are: none" in answer["error"]["explanation"]
    if mqtt5:  # in MQTT 3.1.1 nobody can tell
        leaf = "server/main/request/createSession"
        requester.send(leaf, {"id": "old"}, retain=True)
        s.daemon.wait_for_line("retained message ignored", leaf)
        assert requester.request("bridge/request/info")["outcome"] == "ok"
        assert requester.answers("old") == []
        requester.send(leaf, b"", retain=True)


@BOTH
def test_a_room_s_session_is_recorded_by_the_room(site: MakeSite, asking: Ask, mqtt5: bool) -> None:
    """The light is true, there is one recording, and a second needs force (R5, R18)."""
    s = with_api(site)
    panel, hmp, requester = s.panel, s.hmp, asking(s, mqtt5=mqtt5)
    started = requester.ask("startRecording", session_of(0).upper())
    assert started["outcome"] == "ok"
    recording = started["value"]
    assert started["raw"] == f"OK|{recording}"
    panel.wait_for("room/r0/recording_id", recording)
    panel.wait_for("room/r0/tally", "red")
    assert panel.newest("room/r1/state") == "idle"
    again = requester.ask("startRecording", sessionId=session_of(0))
    assert again["outcome"] == "failed"
    assert again["error"]["code"] == "already_recording"
    assert len(hmp.commands("startRecording")) == 1
    leaf, forced = "server/main/request/startRecording", {"sessionId": session_of(0), "force": True}
    second = requester.request(leaf, forced)
    assert second["outcome"] == "ok"
    assert second["value"] != recording
    assert panel.newest("room/r0/recording_id") == recording

    since = panel.mark()
    assert requester.ask("pauseRecording", recording)["outcome"] == "ok"
    panel.wait_for("room/r0/state", "paused", since=since)
    assert requester.ask("resumeRecording", recording)["outcome"] == "ok"
    panel.wait_for("room/r0/state", "recording", since=since)
    assert requester.ask("stopRecording", recording)["outcome"] == "ok"
    panel.wait_for("room/r0/state", "idle", since=since)
    panel.wait_for_newest("room/r0/last_recording_id", recording)
    assert panel.payloads("room/r0/alarm", since=since) == []
    # The panel pressed nothing, so it is told of nothing but states.
    assert panel.payloads("room/r0/ack") == []
    assert panel.payloads("room/r0/result") == []
    assert [row["id"] for row in hmp.recordings("RECORDING")] == [second["value"]]

    panel.press("r1", "record")
    panel.wait_for("room/r1/ack", "record ok")
    refused = requester.ask("startRecording", session_of(1))
    assert refused["error"]["code"] == "already_recording"


@BOTH
def test_hmp_out_of_reach(site: MakeSite, asking: Ask, mqtt5: bool) -> None:
    """What cannot be sent waits, then expires; what comes back in time is carried out."""
    s = with_api(site, server={"request_ttl": "1s"})
    requester = asking(s, mqtt5=mqtt5)
    recordings = s.hmp.kill()
    s.panel.wait_for_newest("server/main/state", "refused")
    expired = requester.ask("createSession", "never")
    assert expired["outcome"] == "expired"
    assert expired["error"]["code"] == "expired"
    room = requester.ask("startRecording", session_of(0))
    assert room["outcome"] == "expired"
    s.panel.wait_for_newest("room/r0/state", "idle")
    if mqtt5:
        leaf = "server/main/request/createSession"
        requester.send(leaf, {"id": "late", "sessionTitle": "late"}, expiry=600)
        requester.send(leaf, {"id": "short", "sessionTitle": "short"}, expiry=1)
        requester.heard.until(lambda _: requester.answers("short"), "the shorter one expired")
        assert requester.answers("short")[0].answer["outcome"] == "expired"
    s.hmp.start(recordings)
    if mqtt5:
        requester.heard.until(lambda _: requester.answers("late"), "the longer one carried out")
        assert requester.answers("late")[0].answer["outcome"] == "ok"
    s.panel.wait_for_newest("server/main/state", "ready")
    while (outcome := requester.ask("createSession", "again")["outcome"]) == "expired":
        pass  # a machine may be late by more than a second
    assert outcome == "ok"
    titles = {row["title"] for row in s.hmp.do("snapshot")["sessions"]}
    assert "never" not in titles
    assert "short" not in titles
    assert "again" in titles


def test_a_program_that_never_waits_is_told_to(site: MakeSite, asking: Ask) -> None:
    """64 requests wait; the others are refused, each with an answer. A stop still has room."""
    s = with_api(site, server={"request_ttl": "1h"})
    requester = asking(s)
    recordings = s.hmp.kill()
    s.panel.wait_for_newest("server/main/state", "refused")
    since = len(requester.heard)
    for number in range(70):
        given = {"id": number, "sessionId": UNKNOWN}
        requester.send("server/main/request/deleteSession", given, wait=False)
    stop = {"id": "stop", "recordingId": UNKNOWN}
    requester.send("server/main/request/stopRecording", stop)
    usual = f"{s.base}/server/main/response/deleteSession"
    requester.wait_for(usual, 6, since=since)  # the others wait until HMP is back
    s.hmp.start(recordings)
    heard = [each.answer for each in requester.wait_for(usual, 70, since=since)]
    assert sorted(answer["id"] for answer in heard) == list(range(70))
    codes = [answer["error"]["code"] for answer in heard]
    assert codes.count("too_many_requests") == 6
    assert codes.count("040006") == 64
    [stopped] = requester.wait_for(usual.replace("deleteSession", "stopRecording"), since=since)
    assert stopped.answer["error"]["code"] == "040001"


def test_a_lost_reply_is_unknown(site: MakeSite, asking: Ask) -> None:
    s = with_api(site)
    requester = asking(s)
    s.hmp.fault("lose_reply:createSession:count=1")
    answer = requester.ask("createSession", "perhaps")
    assert answer["outcome"] == "unknown"
    assert answer["error"]["code"] == "outcome_unknown"
    assert "web pages" in answer["error"]["explanation"]
    assert answer["raw"] is None
    s.panel.wait_for_newest("server/main/state", "ready")
    assert len(s.hmp.commands("createSession")) == 1


def test_a_session_that_a_room_has_made_belongs_to_it(site: MakeSite, asking: Ask) -> None:
    s = with_api(site, start=False)
    s.tables["rooms"]["r0"] = {"server": "main", "sources": [SOURCE]}
    s.add_daemon()
    s.wait_ready()
    requester = asking(s)
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    session = s.panel.newest("room/r0/session_id")
    refused = requester.ask("startRecording", session)
    assert refused["error"]["code"] == "already_recording"
    leaf = "server/main/request/startRecording"
    assert requester.request(leaf, {"sessionId": session, "force": True})["outcome"] == "ok"
    assert len(s.hmp.recordings("RECORDING")) == 2


def test_a_stop_whose_reply_is_lost_shows_in_its_room(site: MakeSite, asking: Ask) -> None:
    s = with_api(site)
    requester = asking(s)
    recording = requester.ask("startRecording", session_of(0))["value"]
    s.hmp.fault("lose_reply:stopRecording:count=1")
    assert requester.ask("stopRecording", recording)["outcome"] == "unknown"
    s.panel.wait_for("room/r0/last_recording_id", recording)
    s.panel.wait_for_newest("room/r0/state", "idle")
