"""What a room says on its way out: here, that a rule of it has failed."""

import pytest

from bridge.api.replies import Replies
from bridge.daemon.happenings import Happenings
from bridge.daemon.outlet import Outlet
from bridge.logs.log import configure_logs
from bridge.metrics.observe import Observer
from bridge.mqtt.image import Image
from bridge.mqtt.topics import Topics
from bridge.room.facts.values import Now
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
