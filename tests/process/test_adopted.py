"""What retained topics say that others have written: it is shown, and nothing is stopped (R9)."""

import json

from .site import MakeSite

LONG_AGO = "2000-01-01T00:00:00+00:00"


def test_a_forged_status_stops_nothing_and_two_rooms_with_one_recording_say_so(
    site: MakeSite,
) -> None:
    """Somebody else's recording, in both rooms' topics, on its way to a stop and long overdue."""
    s = site(start=False)
    foreign = s.hmp.do("start", session=s.sessions()["r0"])["recording"]
    for room, session in s.sessions().items():
        status = {
            "state": "stopping",
            "recording_id": foreign,
            "session_id": session,
            "started_at": LONG_AGO,
            "owner": "meeting:a",
            "meetings": [{"id": "a", "start": LONG_AGO, "end": LONG_AGO}],
        }
        s.panel.publish(f"room/{room}/status", json.dumps(status), retain=True)
    mark = s.panel.mark()
    s.add_daemon()
    s.wait_ready()
    for room in s.sessions():
        s.panel.wait_for(f"room/{room}/alarm", "shared_recording", since=mark)
        s.panel.wait_until(
            lambda _: all(s.panel.status(each).get("verified_at") for each in s.sessions()),
            "HMP's word",
        )
        assert s.panel.newest(f"room/{room}/state") == "recording"
        assert s.panel.newest(f"room/{room}/recording_id") == foreign
    s.hmp.wait_until(lambda hmp: len(hmp.commands(f"getRecordingStatus {foreign}")) > 6, "polls")
    assert s.hmp.commands("stopRecording") == []
    s.panel.press("r1", "stop")
    s.panel.wait_for("room/r1/ack", "stop ok")
    s.panel.wait_for_newest("room/r0/state", "idle")
    s.panel.wait_for_newest("room/r1/alarm", "none")
    s.panel.wait_for_newest("room/r0/alarm", "stopped_unexpectedly")
    assert [row["state"] for row in s.hmp.recordings()] == ["FINISHED"]
