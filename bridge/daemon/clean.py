"""Leaving a broker: everything that this installation owns on it is emptied, nothing else (R33).

What is ours is written down (`manifest`): no topic is guessed, and what others have on topics that
look alike stays. The session that the broker keeps for the bridge ends too, with what waits in it.
"""

from collections.abc import Callable
from dataclasses import replace

from ..mqtt.failures import BrokerFailure, flatten
from ..mqtt.link import ONLINE
from ..mqtt.message import Message
from ..mqtt.negotiate import accepting, in_either_version
from ..mqtt.nodes import every_node
from ..mqtt.retained import read_retained
from ..mqtt.session import open_session
from ..mqtt.settings import BrokerSettings, Protocol
from ..mqtt.topics import Topics
from .info_and_health import identity_in
from .owned import Note

__all__ = ["CannotClean", "clean_brokers"]


class CannotClean(Exception):
    """Somebody still uses what is to be emptied; the text says who, and what to do."""


async def clean_brokers(
    settings: BrokerSettings,
    note: Note,
    *,
    instance: str,
    dry_run: bool,
    tell: Callable[[str], None],
    boxes: bool = False,
) -> None:
    """Empty what each broker retains of the `note`, and `tell` each topic; `dry_run`: only tell.

    `boxes`: several have shared it, and have said of themselves what they do.
    Raises `CannotClean` while a bridge is online on a base topic, or where another one has been
    there since, and `BrokerFailure`; both in an exception group.
    """
    for node in await every_node(settings):
        await _clean(settings.at(node), note, instance, dry_run=dry_run, tell=tell, boxes=boxes)


async def _clean(
    settings: BrokerSettings,
    note: Note,
    instance: str,
    *,
    dry_run: bool,
    tell: Callable[[str], None],
    boxes: bool,
) -> None:
    own = replace(settings, client_id=f"{settings.client_id}-clean", session_expiry=0)

    async def converse(protocol: Protocol) -> None:
        async with open_session(
            own, protocol, deliver=Message.acknowledge, accepting=accepting(own, protocol)
        ) as session:
            marker = note.owned.own.bridge_marker
            found: dict[str, bytes] = {}
            for owned in (note.owned, *note.before):
                words = [owned.own.standby("+")] if boxes else []
                retained = await read_retained(session, [*words, *owned.everything], marker)
                _refuse_where_in_use(owned.own, retained, instance)
                found |= retained
            every = [each for owned in (*note.before, note.owned) for each in owned.everything]
            for topic in (*sorted(found.keys() - every), *every):
                if found.get(topic):
                    if not dry_run:
                        await session.publish(topic, b"", retain=True)
                    tell(topic)
            await session.disconnect()
        if not dry_run:
            await _end_session(settings, protocol)

    try:
        await in_either_version(own, converse)
    except* BrokerFailure as group:
        raise flatten(group) from None


def _refuse_where_in_use(topics: Topics, retained: dict[str, bytes], instance: str) -> None:
    other = identity_in(retained.get(topics.bridge_info, b""))
    if retained.get(topics.bridge_state) == ONLINE:
        who = "a bridge" if other is None else f"the bridge {other.instance}"
        raise CannotClean(
            f"{who} is online on the base topic {topics.base!r}; stop it first: "
            "systemctl stop hmp-bridge"
        )
    if other is not None and other.instance != instance:
        raise CannotClean(
            f"another bridge ({other.instance}) has used the base topic {topics.base!r} since; "
            "what is there is its own: clean from its state folder"
        )


async def _end_session(settings: BrokerSettings, protocol: Protocol) -> None:
    """Come as the bridge itself, and leave for good."""
    leaving = replace(settings, session_expiry=0)
    async with open_session(leaving, protocol, deliver=Message.acknowledge) as session:
        await session.disconnect()
