"""Which publications are suspected, set aside and tried again, by themselves (R23)."""

import trio
import trio.testing

from bridge.mqtt.image import Image
from bridge.mqtt.setbacks import Setbacks

from .recorder import Recorder, flushed

UNANSWERED = [("a", "topic/a", b"x"), ("b", "topic/b", b"y")]


def test_a_connection_that_lived_casts_no_suspicion() -> None:
    setbacks = Setbacks()
    for lived in (False, True):
        setbacks.connection_ended(UNANSWERED, lived=lived)
        assert setbacks.suspects == set()
    setbacks.connection_ended(UNANSWERED, lived=False)
    assert setbacks.suspects == {"a", "b"}


async def test_what_is_refused_again_stays_set_aside(
    autojump_clock: trio.testing.MockClock,
) -> None:
    setbacks = Setbacks()
    setbacks.too_large("a", "topic/a", b"long text")
    setbacks.answered("a", b"long text", accepted=False)
    assert setbacks.keys == ["a"]
    setbacks.answered("a", b"long", accepted=True)  # a shorter form of it
    assert setbacks.keys == ["a"]
    setbacks.answered("a", b"long text", accepted=True)
    assert setbacks.keys == []


async def test_trials_become_rarer_up_to_an_hour(autojump_clock: trio.testing.MockClock) -> None:
    setbacks = Setbacks()
    waits = []
    for _ in range(8):
        setbacks.too_large("a", "topic/a", b"long text")
        assert setbacks.trials() == []
        waits.append(setbacks.next_trial - trio.current_time())
        await trio.sleep_until(setbacks.next_trial)
        assert setbacks.trials() == ["a"]
        assert setbacks.suspects == {"a"}
    assert waits == [60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0]


async def test_what_is_suspected_is_not_repeated_with_all_else() -> None:
    """It goes alone, at QoS 1, so that it shows."""
    image = Image()
    image.set("a", "1")
    image.set("b", "2")
    for _ in range(2):
        await flushed(image, Recorder())
        image.connection_ended(lived=False)
    image.set("c", "3")
    carrier = Recorder()
    assert await image.repeat(carrier, ["a", "b", "c"]) == 1
    assert carrier.topics(0) == [("c", b"3")]
