"""What the daemon makes on HMP besides recordings: a session per recording, and a re-stream."""

import json
import signal

from .site import MakeSite, Site

_SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"


def with_sources(site: MakeSite) -> Site:
    """A site whose first room makes a session per recording, and removes it."""
    s = site(start=False)
    del s.tables["rooms"]["r0"]["session"]
    s.tables["rooms"]["r0"] |= {"name": "Lab", "sources": [_SOURCE], "delete_session": True}
    s.add_daemon()
    s.wait_ready()
    return s


def made(s: Site) -> list[str]:
    """The ids that createSession has answered."""
    return [each["answer"].removeprefix("OK|") for each in s.hmp.commands("createSession")]


def sessions_of_the_room(s: Site) -> list[str]:
    """What HMP still has of them, by title."""
    rows = s.hmp.do("snapshot", log=0)["sessions"]
    return [row["title"] for row in rows if row["title"].startswith("Lab ")]


def test_a_session_per_recording_survives_lost_replies_and_a_kill(site: MakeSite) -> None:
    s = with_sources(site)
    panel, hmp = s.panel, s.hmp
    assert panel.newest("room/r0/session_id") == "none"
    hmp.fault("lose_reply:createSession:count=1")
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    lost, used = made(s)
    assert panel.newest("room/r0/session_id") == used
    assert panel.status("r0")["error"]["code"] == "session_orphaned"
    assert len(sessions_of_the_room(s)) == len(set(sessions_of_the_room(s))) == 2

    panel.wait_until(lambda _: panel.status("r0")["verified_at"], "a verified recording")
    mark = panel.mark()
    s.daemon.stop(signal.SIGKILL)
    panel.wait_for("bridge/state", "offline", since=mark)
    mark = panel.mark()
    s.add_daemon(state=s.daemon.state)
    s.wait_ready(mark)
    assert panel.newest("room/r0/session_id") == used
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok", since=mark)
    hmp.wait_until(lambda hmp: hmp.commands(f"deleteSession {used}"), "the session removed")
    panel.wait_for_newest("room/r0/session_id", "none")
    assert not hmp.commands(f"deleteSession {lost}")  # nobody knows its id
    assert len(sessions_of_the_room(s)) == 1
    assert len(hmp.commands("startRecording")) == 1

    hmp.fault("close_before:startRecording:count=1")
    since = panel.mark()
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record unknown", since=since)
    panel.wait_for("room/r0/state", "recording", since=since)
    panel.wait_for_newest("room/r0/alarm", "none")
    assert len(hmp.recordings("RECORDING")) == 1
    panel.wait_for_newest("room/r0/session_id", made(s)[-1])


def test_a_re_stream_whose_first_reply_is_lost(site: MakeSite) -> None:
    s = site(room={"restream": {"ip": "239.1.1.1", "port": 5000}})
    panel, hmp = s.panel, s.hmp
    panel.press("r0", "restream_start")
    panel.wait_for("room/r0/ack", "restream_start failed nothing_to_stream")
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    hmp.fault("lose_reply:startRestreamRecording:count=1")
    panel.press("r0", "restream_start")
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "restream_start unknown")
    panel.wait_until(
        lambda _: (panel.status("r0")["restream"] or {}).get("state") == "running", "a stream"
    )
    assert panel.newest("room/r0/stream_id") == "none"
    panel.press("r0", "restream_stop")
    panel.wait_for("room/r0/ack", "restream_stop failed stream_id_unknown")
    first, second = hmp.commands("startRestreamRecording")
    assert first["line"] == second["line"]
    assert second["answer"].startswith("ERROR|010006")

    given = {"action": "restream_start", "ip": "239.1.1.2", "port": 5001}
    panel.press("r1", "record")
    panel.wait_for("room/r1/ack", "record ok")
    panel.press("r1", "stop")
    panel.wait_for("room/r1/ack", "stop ok")
    panel.publish("room/r1/set", json.dumps(given))
    panel.wait_for("room/r1/ack", "restream_start ok")
    assert panel.newest("room/r1/stream_id") in {
        row["id"] for row in hmp.do("snapshot", log=0)["streams"]
    }
    panel.press("r1", "restream_stop")
    panel.wait_for("room/r1/ack", "restream_stop ok")
    panel.wait_for_newest("room/r1/stream_id", "none")
