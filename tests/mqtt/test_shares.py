"""Fair turns: who is quiet waits for one message of each other share, whoever floods."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mqtt.shares import RANKS, Shares

SHARES = "abcd"
Item = tuple[str, int, int]

puts = st.tuples(st.sampled_from(SHARES), st.integers(0, RANKS - 1))


@given(st.lists(st.one_of(puts, st.none()), max_size=200))
def test_nobody_waits_for_more_than_one_message_of_each_other(
    steps: list[tuple[str, int] | None],
) -> None:
    """Puts and takes (None) in any order."""
    shares: Shares[Item] = Shares()
    waiting: list[Item] = []
    #: for each share of which something waits: who was served since it was, or since it began
    passed: dict[str, list[str]] = {}
    for number, step in enumerate([*steps, *[None] * len(steps)]):
        if step is not None:
            share, rank = step
            shares.put(share, rank, (share, rank, number))
            waiting.append((share, rank, number))
            passed.setdefault(share, [])
        elif waiting:
            item = shares.take()
            share = item[0]
            assert item == min(
                (each for each in waiting if each[0] == share), key=lambda each: each[1:]
            )
            waiting.remove(item)
            for other, before in passed.items():
                if other != share:
                    before.append(share)
                    assert len(before) == len(set(before))
            del passed[share]
            if any(each[0] == share for each in waiting):
                passed[share] = []
        assert len(shares) == len(waiting)
        assert shares.count == len(passed)
        for share in SHARES:
            assert shares.waiting(share) == sum(each[0] == share for each in waiting)
    assert not waiting


def test_a_turn_takes_several_and_ends_with_what_there_is() -> None:
    shares: Shares[str] = Shares(a_turn=3)
    for item in ("a1", "a2", "a3", "a4", "b1", "c1", "c2"):
        shares.put(item[0], 0, item)
    taken = [shares.take() for _ in range(5)]
    shares.put("b", 0, "b2")
    taken += [shares.take() for _ in range(3)]
    assert taken == ["a1", "a2", "a3", "b1", "c1", "c2", "a4", "b2"]


def test_what_is_put_back_comes_first_and_what_is_removed_not_at_all() -> None:
    shares: Shares[str] = Shares()
    for item in ("a1", "a2", "a3", "b1"):
        shares.put(item[0], 0, item)
    shares.put_back("a", 0, shares.take())
    shares.remove("a", 0, "a2")
    shares.remove("b", 0, "b1")
    assert (len(shares), shares.count) == (2, 1)
    assert [shares.take(), shares.take()] == ["a1", "a3"]
    with pytest.raises(KeyError):
        shares.remove("b", 0, "b1")


def test_the_first_of_each_are_those_that_wait_longest() -> None:
    shares: Shares[int] = Shares()
    for number, (share, rank) in enumerate([("a", 0), ("a", 0), ("a", 2), ("b", 1)]):
        shares.put(share, rank, number)
    assert set(shares.first_of_each()) == {0, 2, 3}


def test_nothing_waits() -> None:
    with pytest.raises(IndexError):
        Shares[int]().take()
