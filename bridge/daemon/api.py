"""The API, put together for `app`: its replies first, which the outlet gives rooms' results to."""

from collections.abc import Callable, Collection, Mapping

from ..api.bridge_requests import BridgeRequests, HandOver, Reload
from ..api.checks import ServerRules
from ..api.command_requests import CommandRequests
from ..api.health import Health
from ..api.replies import Replies
from ..api.service import Api
from ..hmp.client import ServerLink
from ..journal.journal import Journal
from ..mqtt.filters import matches
from ..mqtt.link import BrokerLink
from ..mqtt.topics import Topics
from ..room.facts.values import Now
from ..room.worker import Room

__all__ = ["build_api", "build_replies"]


def build_replies(topics: Topics, broker: BrokerLink, response_topics: Collection[str]) -> Replies:
    """The way of answers to a broker, and to the Response Topics that these filters allow."""

    def listens(topic: str) -> bool:
        return any(matches(each.topic_filter, topic) for each in broker.subscriptions)

    return Replies(topics, broker.image, listens, response_topics)


def build_api(
    rules: dict[str, ServerRules],
    topics: Topics,
    broker: BrokerLink,
    replies: Replies,
    *,
    links: Mapping[str, ServerLink],
    rooms: Mapping[str, Room],
    journal: Journal,
    clock: Callable[[], Now],
    reload: Reload | None = None,
    hand_over: HandOver | None = None,
) -> Api:
    """The API of a bridge with these links and rooms, wired but not yet running.

    `rules` says what may be asked of each server; the API keeps it up to date.
    """

    def info() -> str:
        return (broker.image.get(topics.bridge_info) or b"null").decode()

    commands = CommandRequests(
        rules,
        links,
        rooms,
        replies,
        documents={name: entry.document for name, entry in journal.rooms().items()},
        save=journal.save,
        clock=clock,
    )
    bridge = BridgeRequests(
        replies,
        Health(links, broker, journal, marker=topics.bridge_marker),
        info=info,
        announce=broker.repeat,
        reload=reload,
        hand_over=hand_over,
    )
    return Api(topics, replies, commands, bridge)
