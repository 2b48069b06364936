"""What bindings remember over a restart and over a reload."""

from bridge.bindings.binding import due
from bridge.bindings.durable import carried_over
from bridge.mqtt.topics import Input

from .rig import Rig


def test_a_restart_forgets_no_counter_and_no_level() -> None:
    rig = Rig({"unique": "n"}, {"match": {"v": True}, "edge": "rising"})
    assert [verdict.reason for verdict in rig.hear({"n": 7, "v": 1})] == ["", ""]
    rig.restart()
    assert all(verdict.reason for verdict in rig.hear({"n": 7, "v": 1}))


def test_a_restart_loses_no_press_that_is_still_to_act() -> None:
    rig = Rig(
        {"payload": True, "hold": "2s", "fields": {"id": "{{ payload }}"}, "do": "stop"},
        {"payload": True, "tap": "5s"},
    )
    assert not [each for each in rig.hear("ON") if each.outcome]
    rig.restart()
    assert due(rig.bindings, rig.memory) == 102.0
    assert not rig.acts_any("ON", after=1.0)  # the device says so again: the same press
    (verdict,) = rig.tick(1.5)
    assert (verdict.held_at, verdict.outcome) == (102.0, Input("r0", "stop", id="ON"))
    rig.restart()
    assert due(rig.bindings, rig.memory) is None
    assert rig.acts_any("OFF", after=1.0)  # the tap
    rig.restart()
    assert rig.memory == {}


def test_a_press_of_before_the_machine_was_started_is_not_timed() -> None:
    rig = Rig({"payload": True, "hold": "2s"}, {"payload": True, "tap": "5s"})
    rig.hear("ON")
    rig.restart(boot="another")
    assert due(rig.bindings, rig.memory) is None
    assert not rig.acts_any("OFF", after=1.0)


def test_a_press_that_was_released_is_not_kept() -> None:
    rig = Rig({"payload": True, "hold": "2s"})
    rig.hear("ON")
    rig.restart()
    assert "released after 1.0 s" in rig.one("OFF", after=1.0).reason
    assert rig.document == "{}"


def test_a_reload_keeps_what_the_same_bindings_remember() -> None:
    """Also what is of the moment, such as a press that is held; of equal ones, each keeps its."""
    held, edge = {"match": {"v": True}, "hold": "2s"}, {"match": {"v": True}, "edge": "rising"}
    rig = Rig(held, edge, {"unique": "n"}, held)
    rig.hear({"n": 7, "v": True})
    after = [rig.bindings[place] for place in (2, 3, 0, 0)]
    memory = carried_over(rig.bindings, after, rig.memory)
    topic = next(iter(rig.memory))[1]
    assert memory == {
        (0, topic): rig.memory[2, topic],
        (1, topic): rig.memory[0, topic],
        (2, topic): rig.memory[3, topic],
    }
    assert memory[1, topic].held is not None
