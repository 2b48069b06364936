"""A plan is its seed's, hurts in every way, and is as rough as a long run needs."""

from collections import Counter
from dataclasses import replace

from .faults import FAULTS
from .hmp_proxy import ARMS, Arm
from .mqtt_proxy import TRIGGERS, Trigger
from .plan import Fault, Operation, Places, Tap, make_plan

PLACES = Places(tuple(f"room{n}" for n in range(10)), ("proving", "mute"))
PAIR = replace(PLACES, ttl=2.0)
OF_A_PAIR = {"pause", "kill_in_turn", "yield"} | {
    f"store_{how}" for how in ("kill", "cut", "silence", "deaf")
}
ROUNDS = 150
"""As many as half an hour has."""


def operations(places: Places = PLACES) -> list[Operation]:
    """Everything that is planned for half an hour."""
    return [each for number in range(ROUNDS) for each in make_plan(5, number, places).operations]


def test_the_same_seed_gives_the_same_round() -> None:
    assert make_plan(5, 3, PLACES) == make_plan(5, 3, PLACES)
    assert make_plan(5, 3, PLACES) != make_plan(5, 4, PLACES)
    assert make_plan(5, 3, PLACES) != make_plan(6, 3, PLACES)


def test_half_an_hour_is_rough_enough() -> None:
    planned = operations()
    taps = [each.what for each in planned if isinstance(each.what, Tap)]
    faults = [each.what for each in planned if isinstance(each.what, Fault)]
    kills = [
        each
        for each in faults
        if each.kind == "kill"
        or (isinstance(each.how, (Arm, Trigger)) and each.how.kind.startswith("kill"))
    ]
    assert len(taps) > 20_000
    assert len(faults) > 2_000
    assert len(kills) > 500
    assert len({tap.id for tap in taps}) == len(taps)


def test_every_kind_of_fault_is_planned_and_can_be_carried_out() -> None:
    faults = [each.what for each in operations() if isinstance(each.what, Fault)]
    assert {each.kind for each in faults} == set(FAULTS) - OF_A_PAIR
    arms = Counter(each.how.kind for each in faults if isinstance(each.how, Arm))
    assert set(arms) == set(ARMS)
    triggers = Counter(each.how.kind for each in faults if isinstance(each.how, Trigger))
    assert set(triggers) == set(TRIGGERS)


def test_a_pair_is_hurt_in_every_way_too() -> None:
    faults = [each.what for each in operations(PAIR) if isinstance(each.what, Fault)]
    for box in ("leader", "standby"):
        assert {each.kind for each in faults if each.box == box} >= {"kill", "pause", "mqtt_cut"}
    assert {each.kind for each in faults} == set(FAULTS)
    pauses = [each.value for each in faults if each.kind == "pause"]
    assert len(pauses) > 100
    assert min(pauses) >= PAIR.ttl  # so that another box leads when it goes on


def test_operations_are_in_order_of_time() -> None:
    plan = make_plan(5, 0, PLACES)
    times = [each.at for each in plan.operations]
    assert times == sorted(times)
    assert times[-1] <= plan.seconds + 0.2
