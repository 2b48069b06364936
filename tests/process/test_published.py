"""Everything that a daemon says on the broker is in the table of topics, and as the table says."""

import json
import re
from typing import Any

from bridge.interface.request_rows import REQUEST_ROWS
from bridge.mqtt.catalogue import ROWS, Direction, Row
from tests.schemas import complaints

from .panel import Seen
from .site import MakeSite

ADOPT = {"action": "adopt", "recording_id": "f678f415-0665-48cd-b141-1e95283469f1"}


def row_of(seen: Seen, base: str) -> Row:
    """The row of what was said."""
    for row in (*ROWS, *REQUEST_ROWS):
        if re.fullmatch(row.topic(base, room="[a-z0-9_-]+", server="[a-z0-9_-]+"), seen.topic):
            return row
    raise AssertionError(seen)


def test_a_day_of_a_room(site: MakeSite) -> None:
    """Presses, right and wrong ones, a meeting, a re-stream, HMP away and back, and the end."""
    s = site(start=False, room={"restream": {"ip": "239.1.1.1", "port": 5000}})
    # Some topics are there for Home Assistant alone.
    prefix = s.base.replace("/", "-")
    s.tables["homeassistant"] = {"enabled": True, "all_rooms": True, "discovery_prefix": prefix}
    s.add_daemon()
    s.wait_ready()
    expected = 0
    for leaf, payload in (
        ("set", "record"),
        ("mark", "Vote"),
        ("press/pause", "true"),
        ("press/pause", "false"),
        ("press/resume", "1"),
        ("set", '{"action": "stop", "id": 7}'),
        ("event", '{"event": "meeting_start", "id": "42", "title": "Weekly é"}'),
        ("event", "meeting_end"),
        ("press/restream_start", "true"),
        ("set", json.dumps(ADOPT)),
        ("set", "{"),
        ("press/record", "maybe"),
    ):
        s.panel.publish(f"room/r0/{leaf}", payload)
        expected += payload != "false"
        s.panel.wait_for_results("r0", expected)
    s.panel.wait_for("room/r0/stream_id")
    s.panel.publish("room/nowhere/set", "record")
    s.panel.publish("room/r0/set", "explode")
    s.panel.wait_until(
        lambda _: len(s.panel.messages("bridge/response/error")) == 2, "two refusals"
    )
    mark = s.panel.mark()
    recordings = s.hmp.kill()
    s.panel.wait_for("room/r0/availability", "offline", since=mark)
    s.hmp.start(recordings)
    s.panel.wait_for("room/r0/availability", "online", since=mark)
    s.panel.wait_for("bridge/health", since=mark)
    assert s.daemon.stop() == 0
    s.panel.wait_for("bridge/state", "offline", since=mark)

    kinds: set[str] = set()
    for seen in s.panel.seen.since():
        row = row_of(seen, s.base)
        if row.direction is Direction.PUBLISH:
            continue  # our own
        value: Any = json.loads(seen.payload) if row.values.is_json else seen.payload
        assert not complaints(row.values.schema, value), seen
        assert row.values.longest is None or len(seen.payload) <= row.values.longest, seen
        kinds.add(row.path)
    assert kinds == {row.path for row in ROWS if row.direction is Direction.SUBSCRIBE}
