"""Lines about messages that are not acted on, and what to do about them."""

from collections.abc import Mapping

import structlog

from ..mqtt.message import Message
from ..mqtt.topics import Topics
from ..room.worker import Room

__all__ = ["breaks", "log_received", "log_retained"]

log = structlog.get_logger("mqtt")


def breaks(topics: Topics, topic: str, rooms: Mapping[str, Room]) -> str:
    """The effect of an empty message on an input where a broker does not keep the retain flag."""
    name, _, leaf = topic.removeprefix(f"{topics.base}/room/").partition("/")
    room = rooms.get(name)
    if leaf.startswith("press/") and room is not None and room.state.policy.empty_is_press:
        return (
            "where the broker passes that on as new it is a press, for empty_is_press is set: take "
            "that key out and reload first"
        )
    if leaf == "mark":
        return "where the broker passes that on as new, a running recording gets a HotMark"
    if leaf.startswith("metadata/"):
        return "where the broker passes that on as new, the next recording goes without this text"
    return "that starts, stops and changes nothing, at any time and over any broker"


def log_received(message: Message) -> None:
    """Every message, for whoever looks closely."""
    log.debug(
        "message received",
        topic=message.origin,
        bytes=len(message.payload),
        qos=message.qos,
        retain=message.retain,
        duplicate=message.duplicate,
    )


def log_retained(message: Message, empty_means: str) -> None:
    """An input that the broker has kept; `empty_means` is what `breaks` says of clearing it."""
    log.warning(
        "retained message ignored",
        topic=message.origin,
        what_to_do="publish inputs without the retain flag, and clear the retained message: "
        f"mosquitto_pub -r -n -t {message.origin}; {empty_means}",
    )
