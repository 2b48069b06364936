"""What the words of other boxes come to, and for how long they count."""

import pytest

from bridge.daemon.box_hearing import BACK_WITHIN, Hearing
from bridge.daemon.box_words import BoxState, BoxWord
from bridge.daemon.standing import Others

AWAY = BoxWord(BoxState.STANDBY, "bbbbbbbb", store=False)
THERE = BoxWord(BoxState.STANDBY, "bbbbbbbb", store=True)
OFFLINE = BoxWord(BoxState.OFFLINE, "bbbbbbbb")
FOR_LONG = 1000.0


def proved(*, now: float = 0.0, since: float = -FOR_LONG) -> Hearing:
    """One on whose line everything that was said before now has been heard."""
    hearing = Hearing()
    hearing.proved(since, since)
    hearing.proved(now + 4.5, now)
    return hearing


@pytest.mark.parametrize(
    ("words", "others"),
    [
        ([], Others.AWAY),
        ([AWAY], Others.AWAY),
        ([OFFLINE], Others.AWAY),
        ([THERE], Others.THERE),
        ([AWAY, THERE], Others.THERE),
        ([THERE, AWAY], Others.AWAY),
    ],
)
def test_what_they_said_last_counts(words: list[BoxWord], others: Others) -> None:
    hearing = proved()
    for word in words:
        hearing.hear("b", word, 0.0)
    assert hearing.others(0.0) is others


def test_one_of_several_is_enough() -> None:
    hearing = proved()
    hearing.hear("b", THERE, 0.0)
    hearing.hear("c", AWAY, 0.0)
    assert hearing.others(0.0) is Others.THERE


@pytest.mark.parametrize("word", [AWAY, THERE, OFFLINE, None])
def test_nothing_counts_longer_than_it_is_proved(word: BoxWord | None) -> None:
    """A process that was stopped, or whose line has died, has not heard what came after."""
    hearing = proved()
    hearing.hear("b", word, 0.0)
    assert hearing.others(4.4) is not Others.UNHEARD
    assert hearing.others(4.5) is Others.UNHEARD
    hearing.begin()
    assert hearing.others(0.0) is Others.UNHEARD


@pytest.mark.parametrize("word", [AWAY, OFFLINE, None])
def test_whoever_has_just_come_to_a_broker_waits_for_those_who_come_to_it(
    word: BoxWord | None,
) -> None:
    """One that was started anew knows nothing, or only what was so before."""
    hearing = proved(since=0.0)
    hearing.hear("b", word, 0.0)
    for now in (0.0, BACK_WITHIN - 0.1):
        hearing.proved(now + 4.5, now)
        assert hearing.others(now) is Others.UNHEARD
    hearing.proved(BACK_WITHIN + 4.5, BACK_WITHIN)
    assert hearing.others(BACK_WITHIN) is Others.AWAY


@pytest.mark.parametrize("word", [OFFLINE, None])
def test_whoever_has_gone_may_be_back(word: BoxWord | None) -> None:
    hearing = proved(now=5.0)
    hearing.hear("b", THERE, 0.0)
    hearing.hear("b", word, 5.0)
    hearing.hear("b", word, 6.0)
    assert hearing.others(6.0) is Others.THERE
    hearing.proved(100.0, 5.0)
    assert hearing.others(5.0 + BACK_WITHIN) is Others.AWAY


def test_whoever_does_not_answer_is_not_there() -> None:
    """Its word was retained, and its will was lost with a broker."""
    hearing = proved()
    hearing.hear("b", THERE, -FOR_LONG)
    assert hearing.ask(True, 0.0)
    assert not hearing.ask(True, 1.0)
    hearing.proved(100.0, 0.0)
    assert hearing.others(BACK_WITHIN - 0.1) is Others.THERE
    assert hearing.others(BACK_WITHIN) is Others.AWAY
    hearing.hear("b", THERE, BACK_WITHIN)
    assert hearing.others(BACK_WITHIN * 2 - 0.1) is Others.THERE
    assert not hearing.ask(False, BACK_WITHIN)
    assert hearing.others(99.0) is Others.THERE


def test_nobody_is_online_where_nobody_ever_was() -> None:
    """A broker that was started anew retains nothing of one that cannot reach it."""
    hearing = Hearing()
    assert hearing.nobody_for(7.0) == 0.0
    hearing.proved(4.5, 0.0)
    assert hearing.nobody_for(7.0) == 7.0
    hearing.sign(8.0)
    assert hearing.nobody_for(9.0) == 0.0
    hearing.offline(10.0)
    assert hearing.nobody_for(12.0) == 2.0


def test_who_is_online_gives_a_sign_of_it() -> None:
    """The will of one that was cut off while the broker was started anew is lost."""
    hearing = Hearing()
    hearing.sign(0.0)  # retained
    hearing.proved(4.5, 0.0)
    assert hearing.nobody_for(30.0) == 0.0
    assert hearing.nobody_for(35.0) == 5.0
    hearing.sign(35.0)
    assert hearing.nobody_for(65.0) == 0.0
