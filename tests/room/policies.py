"""The policy of a room that sets nothing, as the configuration makes it, and changes to it."""

from dataclasses import replace
from typing import Any

from bridge.config.room import RoomTable
from bridge.config.server import ServerTable
from bridge.hmp.commands import SessionId
from bridge.room.facts.policy import Policy

__all__ = ["policy_of"]

_DEFAULT = RoomTable(server="main").policy(ServerTable(host="hmp"), "Recording")


def policy_of(session: SessionId | None, **settings: Any) -> Policy:
    """The policy of a room that records `session`, with these settings."""
    return replace(_DEFAULT, session=session, **settings)
