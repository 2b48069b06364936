"""What each of several boxes says of itself at the broker: `bridge/standby/<box>` (R36). Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..text.json_text import read_object

__all__ = ["BoxState", "BoxWord", "read_word", "ready_to_lead", "render_word"]

_NAME = re.compile(r"[0-9a-f]{8}")


class BoxState(StrEnum):
    """What a box does."""

    STANDBY = "standby"
    LEADER = "leader"
    #: It has led, and ends what is under way.
    LEAVING = "leaving"
    #: Its connection to the broker has ended.
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class BoxWord:
    """One box: `process` tells two apart that have one name, `since` is when `state` began.

    `configuration` is a digest that is the same where all is that concerns both boxes; `store`:
    reachable; `servers`: which of them take a connection.
    """

    state: BoxState
    process: str
    since: str | None = None
    version: str = ""
    configuration: str = ""
    store: bool = False
    servers: Mapping[str, bool] = field(default_factory=dict)

    @property
    def leads(self) -> bool:
        """True while it acts."""
        return self.state is BoxState.LEADER

    @property
    def asks(self) -> bool:
        """True while it may have to act by what the others say: each says its own word again."""
        return self.leads and not self.store


def render_word(word: BoxWord) -> str:
    """The JSON of the topic."""
    return json.dumps(
        {
            "state": word.state,
            "since": word.since,
            "version": word.version,
            "configuration": word.configuration,
            "store": "reachable" if word.store else "unreachable",
            "servers": {
                name: "reachable" if reached else "unreachable"
                for name, reached in word.servers.items()
            },
            "process": word.process,
        },
        separators=(",", ":"),
    )


def read_word(payload: bytes) -> BoxWord | None:
    """The word that `render_word` made this of; None for anything else, as for an emptied topic."""
    told = read_object(payload)
    state, process = told.get("state"), told.get("process")
    if state not in set(BoxState) or not (isinstance(process, str) and _NAME.fullmatch(process)):
        return None
    servers = told.get("servers")
    return BoxWord(
        BoxState(state),
        process,
        version=str(told.get("version")),
        configuration=str(told.get("configuration")),
        store=told.get("store") == "reachable",
        servers={name: each == "reachable" for name, each in servers.items()}
        if isinstance(servers, dict)
        else {},
    )


def ready_to_lead(words: Mapping[str, BoxWord]) -> list[str]:
    """The boxes that would take over at once."""
    return [box for box, each in words.items() if each.state is BoxState.STANDBY and each.store]
