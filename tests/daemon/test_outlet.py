"""What a room says on its way out: that a rule of it has failed, and an answer after the state."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import trio
import trio.testing

from bridge.api.replies import Replies
from bridge.daemon.happenings import Happenings
from bridge.daemon.outlet import Outlet
from bridge.logs.log import configure_logs
from bridge.metrics.observe import Observer
from bridge.mqtt.acknowledgements import Acknowledgements
from bridge.mqtt.image import Image
from bridge.mqtt.message import Message, Receipt
from bridge.mqtt.outbox import A_TURN
from bridge.mqtt.topics import Topics
from bridge.room.facts.values import Now, Reply
from bridge.room.facts.vocabulary import State
from bridge.room.stages import Stages
from tests.mqtt.recorder import Recorder, flushed
from tests.mqtt.samples import RESULT
from tests.room.house import House

from .test_guard import nothing

WINDOW = 20
"""QoS 1 messages that mosquitto lets be under way: to us over MQTT 3.1.1, from us over MQTT 5."""


def fault() -> Exception:
    try:
        raise_one()
    except LookupError as error:
        return error
    raise AssertionError


def raise_one() -> None:
    raise LookupError("forgotten")


async def test_a_rule_that_fails_is_an_internal_error(capsys: pytest.CaptureFixture[str]) -> None:
    """What comes again from the same topic is counted; where it was is said once."""
    configure_logs()
    topics, image, room = Topics(), Image(), House().room
    replies = Replies(topics, image, lambda _: True, [])
    observer, happenings = Observer(lambda: Now(0.0, 0.0)), Happenings(topics, image)
    outlet = Outlet(topics, image, observer, replies, servers=(), happenings=happenings)
    for about in ("hmp/room/r/set", "hmp/room/r/set", "pauseRecording"):
        outlet.fault(room, fault(), about)
    said = capsys.readouterr().err
    assert said.count('event="internal error"') == 2
    assert said.count("Traceback") == 2
    assert "room=boardroom" in said
    assert "about=pauseRecording" in said


async def test_an_answer_to_a_response_topic_leaves_after_the_state_that_it_speaks_of() -> None:
    """It has no topic of the room's, and would overtake a room that says much (R1)."""
    topics, room = Topics(), House().room
    image, broker = Image(share_of=topics.share), Recorder()
    replies = Replies(topics, image, lambda _: False, ["app/#"])
    observer, happenings = Observer(lambda: Now(0.0, 0.0)), Happenings(topics, image)
    outlet = Outlet(topics, image, observer, replies, servers=["main"], happenings=happenings)
    outlet.room_added(room, {state: str(state) for state in State})
    for number in range(A_TURN):
        image.set(topics.room(room.name, f"metadata/{number}"), "x")
    outlet.state(room)
    asked = "hmp/server/main/request/startRecording"
    answered = replace(RESULT, origin=asked, reply=Reply("app/answers"))
    outlet.result(room, answered, Stages(0.0))
    await flushed(image, broker)
    said = [topic for topic, *_ in broker.posted]
    assert said.index("app/answers") > said.index(topics.room(room.name, "status"))
    assert said[-1] == "hmp/server/main/response/startRecording"


async def test_refusals_hold_up_a_press_for_one_turn_of_each_room_at_most() -> None:
    """PUBACKs leave in order, and the broker delivers no press while its window is full."""
    topics, broker = Topics(), Recorder(WINDOW)
    image = Image(share_of=topics.share)
    replies = Replies(topics, image, lambda _: False, [])
    observer, happenings = Observer(lambda: Now(0.0, 0.0)), Happenings(topics, image)
    outlet = Outlet(topics, image, observer, replies, servers=(), happenings=happenings)
    acknowledged: list[int] = []
    acknowledgements = Acknowledgements(nothing)
    rooms, refused = [f"r{number}" for number in range(9)], 64
    for name in rooms * refused:
        image.send(topics.room(name, "result"), "{}")
    for number in range(refused + 1):
        receipt = Receipt(number, 0, acknowledged.append)
        message = Message("any", b"", 1, False, False, 0.0, receipt=receipt)
        place = acknowledgements.place(message)
        if number < refused:
            outlet.refusal(RESULT, place)
        else:
            place.accept()  # a press, which its room has written down
    assert acknowledged == []  # the broker has no answer yet
    async with trio.open_nursery() as nursery:
        nursery.start_soon(image.flush, broker)
        await trio.testing.wait_all_tasks_blocked()
        while refused not in acknowledged:
            broker.acknowledge()
            await trio.testing.wait_all_tasks_blocked()
        assert len(broker.posted) <= (len(rooms) + 1) * A_TURN + 2 * WINDOW
        while image.unconfirmed:
            broker.acknowledge()
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    said = [topic for topic, *_ in broker.posted]
    assert said.count(topics.error) == refused  # each has its answer
    assert acknowledged == list(range(refused + 1))


def test_the_broker_keeps_the_messages_of_few_answers_until_it_has_them() -> None:
    topics = Topics()
    replies = Replies(topics, Image(), lambda _: False, [])
    accepted: list[int] = []

    def give(number: int) -> Callable[[], None]:
        return replies.until_arrived(lambda: accepted.append(number))

    given = [give(number) for number in range(A_TURN + 2)]
    assert accepted == [A_TURN, A_TURN + 1]
    for arrived in given:
        arrived()
    assert accepted[2:] == list(range(A_TURN))  # and none of them twice
    give(99)
    assert 99 not in accepted
