"""One wrong or strange answer of HMP: nothing ends by it, and no other room notices (R25)."""

from .site import MakeSite, Site


def recording(s: Site) -> str:
    """The first room records, as HMP has confirmed; the recording's id."""
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.panel.wait_until(lambda _: s.panel.status("r0")["verified_at"], "a verified recording")
    return str(s.panel.status("r0")["recording_id"])


def test_a_single_not_found_ends_nothing(site: MakeSite) -> None:
    """Asked again, HMP has it: one recording, no alarm, and its stop is a stop."""
    s = site()
    recording(s)
    mark = s.panel.mark()
    s.hmp.fault("error:getRecordingStatus:040001:count=1")
    s.hmp.wait_until(lambda hmp: hmp.commands("removeSourceFromSession"), "the second witness")
    s.panel.wait_until(lambda _: not s.panel.status("r0")["stale"], "certainty")
    s.hmp.freeze()
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/state", "stopping", since=mark)
    s.hmp.thaw()
    s.panel.wait_for("room/r0/ack", "stop ok")
    assert s.panel.payloads("room/r0/state", mark) == ["stopping", "idle"]
    assert s.panel.payloads("room/r0/alarm", mark) == []
    assert [row["state"] for row in s.hmp.recordings()] == ["FINISHED"]


def test_a_session_that_records_holds_what_hmp_does_not_know(site: MakeSite) -> None:
    """The id is kept, nothing is started, and the alarm goes when HMP has it again."""
    s = site(knobs=["active_check=before"])
    held = recording(s)
    mark = s.panel.mark()
    s.hmp.fault("error:getRecordingStatus:040001")
    s.panel.wait_for("room/r0/alarm", "recording_error", since=mark)
    s.hmp.wait_until(lambda hmp: len(hmp.commands("removeSourceFromSession")) > 2, "questions")
    s.hmp.do("clear_faults")
    s.panel.wait_for("room/r0/alarm", "none", since=mark)
    assert s.panel.status("r0")["recording_id"] == held
    assert s.panel.payloads("room/r0/state", mark) == []
    assert len(s.hmp.commands("startRecording")) == 1
    assert s.hmp.commands("stopRecording") == []


def test_what_hmp_does_not_know_is_stopped_before_another_starts(site: MakeSite) -> None:
    """An HMP whose sessions prove nothing: never two recordings at once."""
    s = site()
    lost = recording(s)
    s.hmp.fault("error:getRecordingStatus:040001:count=4")
    s.hmp.wait_until(lambda hmp: len(hmp.commands("startRecording")) == 2, "another recording")
    s.panel.wait_until(
        lambda _: s.panel.status("r0")["recording_id"] not in (None, lost), "the new id"
    )
    states = {row["id"]: row["state"] for row in s.hmp.recordings()}
    assert states.pop(lost) == "FINISHED"
    assert list(states.values()) == ["RECORDING"]
    [stop] = s.hmp.commands("stopRecording")
    assert stop["answer"] == "OK"
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok")


def test_a_word_that_the_guide_does_not_have_disturbs_nobody(site: MakeSite) -> None:
    """Said once; the link stays, another room starts, and the stop goes out."""
    s = site(knobs=["status_word=FINALIZING"])
    mark = s.panel.mark()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.hmp.wait_until(lambda hmp: len(hmp.commands("getRecordingStatus")) > 3, "several polls")
    s.panel.press("r1", "record")
    s.panel.wait_for("room/r1/ack", "record ok")
    assert s.panel.status("r0")["verified_at"] is None
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok")
    assert s.panel.payloads("server/main/state", mark) == []
    assert s.panel.payloads("room/r0/availability", mark) == []
    assert s.daemon.output.count("HMP's answer is unclear") == 1
    assert [row["state"] for row in s.hmp.recordings()] == ["FINISHED", "RECORDING"]
