"""What a room says on its way out: that a rule of it has failed, and an answer after the state."""

from dataclasses import replace

import pytest

from bridge.api.replies import Replies
from bridge.daemon.happenings import Happenings
from bridge.daemon.outlet import Outlet
from bridge.logs.log import configure_logs
from bridge.metrics.observe import Observer
from bridge.mqtt.image import Image
from bridge.mqtt.outbox import A_TURN
from bridge.mqtt.topics import Topics
from bridge.room.facts.values import Now, Reply
from bridge.room.facts.vocabulary import State
from bridge.room.stages import Stages
from tests.mqtt.recorder import Recorder, flushed
from tests.mqtt.samples import RESULT
from tests.room.house import House


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
