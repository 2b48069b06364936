"""What is said of each action, and no more: a budget, and an order of leaving (R1)."""

import trio
import trio.testing

from bridge.api.replies import Replies
from bridge.daemon.happenings import Happenings
from bridge.daemon.outlet import Outlet
from bridge.metrics.observe import Observer
from bridge.mqtt.image import Image
from bridge.mqtt.topics import Topics
from bridge.room.facts.vocabulary import Action, State
from tests.mqtt.recorder import Recorder, flushed
from tests.room.house import House, clock

TOPICS = Topics("hmp")
ACTIONS = [Action.RECORD, Action.MARK, Action.PAUSE, Action.RESUME, Action.STOP]

SAID = {
    Action.RECORD: "state recording tally recording_id started_at ends_at status ack result status",
    Action.MARK: "ack result",
    Action.PAUSE: "state tally paused elapsed status ack result",
    Action.RESUME: "state tally paused status ack result",
    Action.STOP: "state recording tally recording_id last_recording_id started_at ends_at elapsed"
    " status ack result",
}
"""What is published of an action that HMP answers at once: what has changed, and in which order.

The last of a start is that HMP has been asked and has the recording.
"""


async def test_an_action_says_what_has_changed_and_what_people_look_at_first(
    autojump_clock: trio.testing.MockClock,
) -> None:
    image, observer = Image(), Observer(clock)
    replies, happenings = Replies(TOPICS, image, lambda _: True, ()), Happenings(TOPICS, image)
    outlet = Outlet(TOPICS, image, observer, replies, servers=(), happenings=happenings)
    house = House(audience=outlet)
    outlet.room_added(house.room, {state: f"light of {state}" for state in State})
    said: dict[Action, str] = {}
    async with house.running():
        await trio.sleep(1)
        await flushed(image, Recorder())
        for action in ACTIONS:
            broker = Recorder()
            house.press(action, str(action))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(image.flush, broker)
                await trio.sleep(3)  # a recording is verified meanwhile, and runs for some seconds
                nursery.cancel_scope.cancel()
            broker.acknowledge()
            said[action] = " ".join(topic.rpartition("/")[2] for topic, *_ in broker.posted)
    assert said == SAID
