"""Which commands were a request's, told by when they were sent."""

from bridge.hmp.link import Passage
from bridge.room.facts.values import Now, Result
from bridge.room.facts.vocabulary import Outcome, State
from bridge.room.stages import StageNotes, Stages


def result(took: float) -> Result:
    """Of a request that was received so many seconds before now, which is 100."""
    return Result("1", "record", "topic", Outcome.OK, State.RECORDING, took=took)


def stages(took: float, *commands: tuple[float, float, bool]) -> Stages:
    """Of a request, after commands that were sent and answered then, routine or not."""
    notes = StageNotes()
    for sent_at, ended_at, routine in commands:
        passage = Passage(sent_at, sent_at, ended_at)
        notes.note(passage, routine=routine, shift=1.0)
    return notes.of(result(took), Now(100.0, 0.0))


def test_without_a_command() -> None:
    assert stages(5.0) == Stages(95.0)
    assert stages(5.0, (90.0, 91.0, False)) == Stages(95.0)


def test_from_the_first_command_to_the_last_answer() -> None:
    assert stages(5.0, (95.0, 96.0, False), (97.0, 98.5, False)) == Stages(95.0, 96.0, 99.5)


def test_commands_of_before_are_another_s() -> None:
    assert stages(5.0, (90.0, 92.0, False), (96.0, 97.0, False)) == Stages(95.0, 97.0, 98.0)


def test_a_routine_look_answers_and_is_sent_for_nobody_else() -> None:
    stop, poll = (95.0, 96.0, False), (97.0, 98.0, True)
    assert stages(5.0, stop, poll) == Stages(95.0, 96.0, 99.0)
    assert stages(5.0, poll) == Stages(95.0, 98.0, 99.0)


def test_what_was_never_sent_is_no_stage() -> None:
    notes = StageNotes()
    notes.note(Passage(95.0, None, 96.0), routine=False, shift=0.0)
    notes.note(Passage(95.0, 96.0, None), routine=False, shift=0.0)
    assert notes.of(result(5.0), Now(100.0, 0.0)) == Stages(95.0)
