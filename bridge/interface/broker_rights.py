"""The rights at the broker that each role needs, and no more: an ACL file for mosquitto.

Pure; the topics come from `mqtt.catalogue` and from what the bridge subscribes to, so that a topic
that comes or goes changes the file with it.
"""

from collections.abc import Iterable, Iterator, Mapping

from ..mqtt.catalogue import BOX_ROWS, ROWS, Direction
from ..mqtt.topics import Topics

__all__ = ["BRIDGE", "DASHBOARD", "panel", "render_rights"]

BRIDGE = "hmp-bridge"
"""The user name of the bridge itself."""
DASHBOARD = "dashboard"
"""The user name of whoever looks on."""

_EXPLANATION = """\
# Who may do what at the broker (mosquitto.conf: acl_file). What is not granted here is refused:
# a user without a line below, and anybody without a user name, reads and writes nothing.
# Made by: hmp-bridge topics --format acl
"""

_LEAST = """\
# The bridge. It may press no button: what it says and what it is told stay apart. The topics that
# end in check are written by hmp-bridge check --live, and mean nothing to anybody. The last lines
# are for answers where a request asks for them (mqtt.response_topics)."""

_LOOKS_ON = """\
# Whoever shows states: everything to read, nothing to write. A dashboard with buttons gets the
# lines of the rooms' panels that begin with "topic write" as well."""


def panel(room: str) -> str:
    """The user name of a room's panel."""
    return f"panel-{room}"


def render_rights(
    topics: Topics,
    rooms: Mapping[str, str],
    *,
    bound: Iterable[str],
    answers: Iterable[str],
    boxes: bool = False,
) -> str:
    """The ACL file, ending in a line feed; `rooms` says which server each room is recorded by.

    `bound` are the topic filters of bindings, `answers` those of Response Topics. `boxes`: there
    are several that stand in for each other.
    """
    rights = [*_of_bridge(topics, bound, answers), *(_of_boxes(topics) if boxes else ())]
    parts = [_EXPLANATION, _lines(_LEAST, BRIDGE, rights)]
    for room, server in rooms.items():
        parts.append(_lines(None, panel(room), _of_panel(topics, room, server)))
    parts.append(_lines(_LOOKS_ON, DASHBOARD, [("read", f"{topics.base}/#")]))
    return "\n".join(parts)


def _lines(comment: str | None, user: str, rights: Iterable[tuple[str, str]]) -> str:
    lines = [] if comment is None else [comment]
    lines.append(f"user {user}")
    lines += [f"topic {access} {topic}" for access, topic in dict.fromkeys(rights)]
    return "\n".join(lines) + "\n"


def _of_bridge(
    topics: Topics, bound: Iterable[str], answers: Iterable[str]
) -> Iterator[tuple[str, str]]:
    base = topics.base
    # Its own values too: a replaced box takes its rooms from them (R9).
    yield "read", f"{base}/#"
    for topic_filter in bound:
        yield "read", topic_filter
    for row in ROWS:
        if row.direction is Direction.SUBSCRIBE:
            names = {"bridge": topics.own_path, "room": "+", "server": "+"}
            yield "write", row.topic(base, **names)
    yield "write", f"{base}/server/+/response/+"
    yield "write", topics.response("+")
    if topics.part:
        yield "write", topics.owner("+")
        yield "write", topics.of_part("").bridge_info
    for path in (topics.own_path, "server/+", "room/+", "room/+/press"):
        yield "write", f"{base}/{path}/check"
    for topic_filter in answers:
        yield "write", topic_filter


def _of_boxes(topics: Topics) -> Iterator[tuple[str, str]]:
    for row in BOX_ROWS:
        yield "write", row.topic(topics.base, bridge=topics.own_path, box="+")
    # By hmp-bridge yield.
    yield "write", topics.request("yield")


def _of_panel(topics: Topics, room: str, server: str) -> Iterator[tuple[str, str]]:
    access = {Direction.PUBLISH: "write", Direction.SUBSCRIBE: "read"}
    for row in ROWS:
        if row.for_panels:
            names = {"bridge": topics.own_path, "room": room, "server": server}
            yield access[row.direction], row.topic(topics.base, **names)
