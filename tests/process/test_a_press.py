"""What a panel sees of its own presses: state, light, ids, one ack and one result each."""

import json
import re
import uuid

from .site import MakeSite

UTC_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_two_presses_make_one_recording_and_the_panel_knows(site: MakeSite) -> None:
    """Rises and falls, twice; then pause, resume, mark and stop, each looked at on every topic."""
    s = site(room={"elapsed_every": "1s"})
    panel, hmp = s.panel, s.hmp
    assert panel.newest("room/r0/state") == "idle"
    assert panel.newest("room/r0/tally") == "off"
    assert panel.newest("room/r0/recording") == "false"
    assert panel.newest("room/r0/recording_id") == "none"

    panel.press("r0", "record")
    panel.press("r0", "record")
    panel.wait_for("room/r0/state", "recording")
    panel.wait_for("room/r0/ack", "record ignored")
    panel.wait_for("room/r0/ack", "record ok")
    acks = panel.payloads("room/r0/ack")
    assert sorted(acks) == ["record ignored", "record ok"]
    [started] = hmp.commands("startRecording")
    recording = started["answer"].removeprefix("OK|")
    panel.wait_for("room/r0/recording_id", recording)
    panel.wait_for("room/r0/recording", "true")
    panel.wait_for("room/r0/tally", "red")
    assert panel.newest("room/r0/session_id") == started["line"].split()[1]
    assert UTC_SECOND.fullmatch(panel.newest("room/r0/started_at") or "")
    panel.wait_until(lambda _: int(panel.newest("room/r0/elapsed") or 0) > 0, "seconds recorded")

    panel.press("r0", "pause")
    panel.wait_for("room/r0/ack", "pause ok")
    assert panel.newest("room/r0/state") == "paused"
    assert panel.newest("room/r0/paused") == "true"
    assert panel.newest("room/r0/tally") == "amber"
    assert panel.newest("room/r0/recording") == "true"
    panel.press("r0", "resume")
    panel.wait_for("room/r0/ack", "resume ok")
    panel.publish("room/r0/mark", 'He said "hi" \\ é')
    panel.wait_for("room/r0/ack", "mark ok")
    [row] = hmp.recordings()
    assert list(row["hotmarks"].values()) == ['He said "hi" \\ é']

    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok")
    assert panel.newest("room/r0/state") == "idle"
    assert panel.newest("room/r0/recording_id") == "none"
    assert panel.newest("room/r0/last_recording_id") == recording
    assert panel.newest("room/r0/elapsed") == "0"
    assert panel.newest("room/r1/state") == "idle"
    assert [row["state"] for row in hmp.recordings()] == ["FINISHED"]
    # The light changed before the ack said so, every time (R1).
    order = [seen.payload for seen in panel.seen.since() if seen.topic.endswith(("state", "ack"))]
    assert order.index("recording") < order.index("record ok")
    status = panel.status("r0")
    for leaf in ("state", "tally", "recording_id", "last_recording_id", "session_id", "alarm"):
        assert (status[leaf] or "none") == panel.newest(f"room/r0/{leaf}")


def test_every_way_of_asking_gets_one_result(site: MakeSite) -> None:
    """JSON with an id, words in any case, events; each answered once, with its own id and topic."""
    s = site(rooms=2)
    panel = s.panel
    panel.publish("room/r0/set", json.dumps({"action": "record", "id": "a1", "title": "Weekly"}))
    panel.wait_for("room/r0/ack", "record ok")
    panel.wait_for("room/r0/title", "Weekly")
    panel.publish("room/r0/set", " ToGGle ")
    panel.wait_for("room/r0/ack", "toggle ok")
    panel.publish("room/r1/event", json.dumps({"event": "Meeting-Start", "id": 7}))
    panel.wait_for("room/r1/ack", "meeting_start ok")
    panel.publish("room/r1/event", json.dumps({"event": "meeting.end", "id": 7}))
    panel.wait_for("room/r1/ack", "meeting_end ok")
    panel.publish("room/r1/event", "button")
    panel.wait_for("room/r1/ack", "button ok")
    panel.publish("room/r1/press/TOGGLE", b"1")
    panel.wait_for("room/r1/ack", "toggle ok")

    first, second = panel.wait_for_results("r0", 2)
    assert first["id"] == "a1"
    assert first["origin"] == f"{s.base}/room/r0/set"
    assert (first["action"], first["outcome"], first["state"]) == ("record", "ok", "recording")
    assert first["error"] is None
    assert second["outcome"] == "ok"
    assert second["took_ms"] >= 0
    results = panel.wait_for_results("r1", 4)
    assert [result["outcome"] for result in results] == ["ok"] * 4
    assert results[1]["id"] == 7
    assert len({str(result["id"]) for result in results}) == 3, "the meeting has its own"


def test_what_somebody_does_in_the_web_pages_shows(site: MakeSite) -> None:
    """Pause, resume and stop by another hand show within a poll; nothing is started again."""
    s = site()
    panel, hmp = s.panel, s.hmp
    panel.press("r0", "record")
    recording = panel.wait_until(
        lambda seen: next(
            (m.payload for m in seen if m.topic.endswith("r0/recording_id") and "-" in m.payload),
            None,
        ),
        "a recording id",
    )
    panel.wait_for("room/r0/ack", "record ok")
    hmp.do("pause", recording=recording)
    panel.wait_for("room/r0/state", "paused")
    since = panel.mark()
    hmp.do("resume", recording=recording)
    panel.wait_for("room/r0/state", "recording", since=since)
    hmp.do("stop", recording=recording)
    panel.wait_for("room/r0/alarm", "stopped_unexpectedly")
    panel.wait_for_newest("room/r0/state", "idle")
    panel.wait_for_newest("room/r0/last_recording_id", recording)
    foreign = hmp.do("start", session=panel.newest("room/r1/session_id"))["recording"]
    panel.publish("room/r1/set", json.dumps({"action": "adopt", "recording_id": foreign}))
    panel.wait_for("room/r1/ack", "adopt ok")
    panel.wait_for("room/r1/recording_id", foreign)
    panel.publish("room/r0/set", json.dumps({"action": "adopt", "recording_id": foreign}))
    panel.wait_for("room/r0/ack", "adopt failed already_held")
    unknown = str(uuid.uuid4())
    panel.publish("room/r0/set", json.dumps({"action": "adopt", "recording_id": unknown}))
    panel.wait_for("room/r0/ack", "adopt failed no_such_recording")
    assert len(hmp.commands("startRecording")) == 1


def test_hmp_says_no(site: MakeSite) -> None:
    """HMP's own code and message come back beside what to do; the light follows HMP."""
    s = site()
    panel, hmp = s.panel, s.hmp
    hmp.fault("disk_full:startRecording:count=1")
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record failed 070027")
    panel.wait_for("room/r0/alarm", "disk_full")
    panel.wait_for_newest("room/r0/state", "idle")
    [result] = panel.wait_for_results("r0", 1)
    error = result["error"]
    assert error["code"] == "070027"
    assert error["explanation"]
    assert hmp.recordings() == []
    since = panel.mark()
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok", since=since)
    panel.wait_for("room/r0/alarm", "none", since=since)
    hmp.do("delete_session", session=panel.newest("room/r1/session_id"))
    panel.press("r1", "record")
    panel.wait_for("room/r1/alarm", "session_missing")
    panel.wait_for("room/r1/ack", "record failed 040006")
