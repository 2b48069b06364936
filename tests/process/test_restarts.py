"""The daemon killed and started again: what it wrote down, it knows (R6 to R9, R16)."""

import json
import resource
import shutil
import signal

import pytest

from .site import MakeSite, Site


def kill(s: Site) -> int:
    """Kill the daemon as a power cut would; the mark from which the panel looks."""
    mark = s.panel.mark()
    s.daemon.stop(signal.SIGKILL)
    s.panel.wait_for("bridge/state", "offline", since=mark)
    return s.panel.mark()


def start_again(s: Site) -> None:
    """Start it with the state folder that it left behind."""
    s.add_daemon(state=s.daemon.state)
    s.daemon.wait_for_line("mqtt connected")


def outcome(s: Site, room: str, request_id: str, mark: int) -> str:
    """What became of a request. Results of before a kill may come again, with their own ids."""

    def look(_: object) -> str | None:
        results = map(json.loads, s.panel.payloads(f"room/{room}/result", mark))
        return next((each["outcome"] for each in results if each["id"] == request_id), None)

    found = s.panel.wait_until(look, f"a result for {request_id}")
    assert found is not None
    return found


def test_a_recording_is_known_again(site: MakeSite) -> None:
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    recording_id = s.panel.newest("room/r0/recording_id")
    mark = kill(s)
    start_again(s)
    s.wait_ready(mark)
    s.panel.wait_until(lambda _: not s.panel.status("r0")["stale"], "asked")
    assert s.panel.newest("room/r0/recording_id") == recording_id
    assert s.panel.newest("room/r0/state") == "recording"
    assert set(s.panel.payloads("room/r0/state", mark)) <= {"recording"}
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok", since=mark)
    assert len(s.hmp.commands("startRecording")) == 1


def test_a_stop_is_carried_out_by_the_next_process_and_answered(site: MakeSite) -> None:
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.panel.wait_until(lambda _: s.panel.status("r0")["verified_at"], "a verified recording")
    s.hmp.do("api", enabled=False)
    s.panel.wait_for("room/r0/availability", "offline")
    s.panel.publish("room/r0/set", '{"action":"stop","id":"the-stop"}')
    s.panel.wait_for("room/r0/state", "stopping")
    mark = kill(s)
    s.hmp.do("api", enabled=True)
    start_again(s)
    assert outcome(s, "r0", "the-stop", mark) == "ok"
    assert s.hmp.recordings("RECORDING") == []


def start_in_flight(s: Site) -> int:
    """Kill the daemon while HMP, which has started the recording, keeps its reply back."""
    s.hmp.fault("slow_reply:startRecording:600:count=1")
    s.panel.publish("room/r0/set", '{"action":"record","id":"the-press"}')
    s.hmp.wait_until(lambda hmp: hmp.commands("startRecording"), "startRecording")
    return kill(s)


def test_a_start_in_flight_is_proved_and_never_repeated(site: MakeSite) -> None:
    s = site(knobs=["active_check=before"])
    mark = start_in_flight(s)
    start_again(s)
    assert outcome(s, "r0", "the-press", mark) == "unknown"
    s.panel.wait_for("room/r0/state", "recording", since=mark)
    s.panel.wait_for_newest("room/r0/recording_id", "none")
    s.panel.wait_for_newest("room/r0/alarm", "outcome_unknown")

    s.panel.publish("room/r0/set", "stop")
    s.panel.wait_for("room/r0/ack", "stop failed id_unknown", since=mark)
    [recording] = s.hmp.recordings("RECORDING")
    adopt = f'{{"action":"adopt","recording_id":"{recording["id"]}"}}'
    s.panel.publish("room/r0/set", adopt)
    s.panel.wait_for("room/r0/recording_id", recording["id"], since=mark)
    s.panel.wait_for("room/r0/alarm", "none", since=mark)
    s.panel.publish("room/r0/set", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok", since=mark)
    assert len(s.hmp.commands("startRecording")) == 1


def test_a_start_in_flight_that_cannot_be_proved_is_held(site: MakeSite) -> None:
    s = site(room={"on_lost_start": "hold"})
    mark = start_in_flight(s)
    s.tables["servers"]["main"]["start_timeout"] = "1s"
    start_again(s)
    assert outcome(s, "r0", "the-press", mark) == "unknown"
    s.hmp.wait_until(
        lambda hmp: len(hmp.commands("removeSourceFromSession")) > 8, "been asked for long enough"
    )
    assert s.panel.newest("room/r0/state") == "unknown"
    assert len(s.hmp.commands("startRecording")) == 1


def test_a_start_in_flight_that_cannot_be_proved_is_restarted_once(site: MakeSite) -> None:
    s = site()
    mark = start_in_flight(s)
    s.tables["servers"]["main"]["start_timeout"] = "10s"
    start_again(s)
    s.panel.wait_for("room/r0/state", "recording", since=mark)
    s.panel.wait_for_newest("room/r0/alarm", "outcome_unknown")
    s.panel.wait_until(lambda _: s.panel.status("r0")["verified_at"], "a verified recording")
    assert len(s.hmp.commands("startRecording")) == 2


def test_a_replaced_box_takes_its_rooms_from_the_broker(site: MakeSite) -> None:
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    recording_id = s.panel.newest("room/r0/recording_id")
    mark = kill(s)
    shutil.rmtree(s.daemon.state)
    s.add_daemon()
    s.wait_ready(mark)
    s.panel.wait_until(lambda _: not s.panel.status("r0")["stale"], "asked")
    assert s.panel.newest("room/r0/state") == "recording"
    assert s.panel.newest("room/r0/recording_id") == recording_id
    assert set(s.panel.payloads("room/r0/state", mark)) <= {"recording"}
    assert s.panel.newest("room/r1/state") == "idle"
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok", since=mark)


def test_an_unreadable_journal_is_moved_aside_and_the_broker_asked(site: MakeSite) -> None:
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    recording_id = s.panel.newest("room/r0/recording_id")
    mark = kill(s)
    for part in s.daemon.state.glob("journal.db*"):
        part.write_bytes(b"not a database at all" * 1000)
    start_again(s)
    s.wait_ready(mark)
    s.daemon.wait_for_line("journal unreadable, moved aside")
    assert list(s.daemon.state.glob("journal.db.unreadable-*"))
    s.panel.wait_until(lambda _: not s.panel.status("r0")["stale"], "asked")
    assert s.panel.newest("room/r0/recording_id") == recording_id


@pytest.mark.mqtt5
def test_presses_sent_while_it_was_away(site: MakeSite) -> None:
    """What waited at the broker for longer than it keeps is expired; a stop always counts (R16)."""
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    mark = kill(s)
    for room in s.tables["rooms"].values():
        room["action_ttl"] = "50ms"
    s.panel.publish("room/r0/set", '{"action":"stop","id":"late-stop"}')
    s.panel.publish("room/r1/set", '{"action":"record","id":"late-record"}')
    start_again(s)  # which takes longer than the action keeps
    assert outcome(s, "r0", "late-stop", mark) == "ok"
    assert outcome(s, "r1", "late-record", mark) == "expired"
    assert len(s.hmp.commands("startRecording")) == 1


@pytest.mark.mqtt5
def test_a_press_sent_during_a_short_absence_is_carried_out(site: MakeSite) -> None:
    s = site()
    mark = kill(s)
    s.panel.publish("room/r0/set", '{"action":"record","id":"early"}')
    start_again(s)
    assert outcome(s, "r0", "early", mark) == "ok"
    assert len(s.hmp.recordings("RECORDING")) == 1


@pytest.mark.mqtt5
def test_a_stop_waits_for_a_room_to_know_its_recording(site: MakeSite) -> None:
    """The journal is lost and the broker's session is not: the stop comes first."""
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    mark = kill(s)
    s.panel.publish("room/r0/set", '{"action":"stop","id":"early-stop"}')
    for part in s.daemon.state.glob("journal.db*"):
        part.write_bytes(b"not a database at all" * 1000)
    start_again(s)
    assert outcome(s, "r0", "early-stop", mark) == "ok"
    assert s.hmp.recordings("RECORDING") == []


def test_a_state_folder_that_cannot_be_written_is_refused(site: MakeSite) -> None:
    s = site(start=False)
    blocked = s.folder / "a-file"
    blocked.write_text("")
    s.add_daemon(state=blocked / "state")
    assert s.daemon.wait() == 69
    assert "state folder" in s.daemon.output
    assert "bridge.state_dir" in s.daemon.output


def test_a_disk_that_cannot_be_written_keeps_nothing_from_being_recorded(site: MakeSite) -> None:
    """Recording comes first: record and stop are sent, and everybody is told (R6)."""
    s = site()
    unlimited = resource.prlimit(s.daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(s.daemon.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    assert len(s.hmp.recordings("RECORDING")) == 1
    s.panel.wait_for("room/r0/alarm", "journal_failing")
    s.panel.wait_for("room/r1/alarm", "journal_failing")
    s.panel.wait_until(lambda _: '"failing"' in (s.panel.newest("bridge/health") or ""), "health")
    s.daemon.wait_for_line("journal cannot be written")
    mark = s.panel.mark()
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok", since=mark)
    assert s.hmp.recordings("RECORDING") == []

    mark = s.panel.mark()
    resource.prlimit(s.daemon.pid, resource.RLIMIT_FSIZE, unlimited)
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok", since=mark)
    s.panel.wait_for("room/r0/alarm", "none", since=mark)
    s.daemon.wait_for_line("journal is written again")
    recording_id = s.panel.newest("room/r0/recording_id")
    mark = kill(s)
    start_again(s)
    s.wait_ready(mark)
    s.panel.wait_until(lambda _: not s.panel.status("r0")["stale"], "asked")
    assert s.panel.newest("room/r0/recording_id") == recording_id
