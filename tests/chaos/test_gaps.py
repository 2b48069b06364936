"""When what a box has done may be unwritten, by the words of both."""

import json
import math

from .gaps import Gaps


def word(state: str, store: str = "reachable") -> str:
    return json.dumps({"state": state, "store": store})


def heard(*words: tuple[float, str, str]) -> Gaps:
    gaps = Gaps(slack=2.0)
    for at, box, payload in words:
        gaps.hear(box, payload, at)
    return gaps


BOTH = ((0.0, "a", word("leader")), (0.0, "b", word("standby")))
CUT = (10.0, "a", word("leader", "unreachable"))
AWAY = (11.0, "b", word("standby", "unreachable"))


def test_one_that_cannot_reach_the_store_beside_one_that_can_has_nothing_unwritten() -> None:
    assert not heard(*BOTH, CUT).had(9.0, 12.0)
    assert not heard(*BOTH, AWAY).had(9.0, 12.0)


def test_where_neither_reaches_it_one_may_act_until_one_does() -> None:
    gaps = heard(*BOTH, CUT, AWAY)
    assert gaps.had(9.0, 9.5)
    assert gaps.had(20.0, math.inf)
    assert not gaps.had(8.0, 8.5)
    gaps.hear("b", word("standby"), 15.0)
    assert gaps.had(16.5, 18.0)
    assert not gaps.had(17.5, 18.0)


def test_one_that_has_ended_reaches_nothing() -> None:
    gone = (5.0, "b", word("offline"))
    assert not heard(*BOTH, gone).had(6.0, 7.0)
    assert heard(*BOTH, gone, CUT).had(9.0, 12.0)


def test_nobody_acts_where_nobody_leads() -> None:
    gone = (5.0, "a", word("offline", "unreachable"))
    assert not heard(*BOTH, gone, AWAY).had(6.0, 20.0)


def test_what_came_in_a_gap_goes_with_who_is_killed_in_the_same_one() -> None:
    gaps = heard(*BOTH, CUT, AWAY, (15.0, "b", word("standby")), (30.0, "b", AWAY[2]))
    assert gaps.took(9.0, 14.0)
    assert not gaps.took(7.5, 14.0)  # it was written before
    assert not gaps.took(14.0, 9.0)
    assert not gaps.took(14.0, 18.0)
    assert not gaps.took(14.0, 32.0)
