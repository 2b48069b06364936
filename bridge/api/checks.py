"""Checks of a request before anything is sent to HMP (R17, R18). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..hmp.commands import COMMANDS, Command, command_class, parse_command, usage
from ..hmp.errors import InvalidArgument
from ..mqtt.api_topics import Asked, CommandTopic
from ..room.facts.values import Problem
from ..text.nearest import nearest
from ..text.shortened import shortened

__all__ = [
    "Rejected",
    "ServerRules",
    "check_command",
    "check_topic",
    "how_to_ask",
    "malformed",
]

_LONGEST_MESSAGE = 500
"""Characters; what somebody sent comes back in a message, but not 64 KB of it."""


@dataclass(frozen=True, slots=True)
class ServerRules:
    """The commands that a server may be asked for by name, and for how long a request keeps.

    `allowed` are names of commands, ``*`` among them for all. `ttl` is seconds of an unusable link.
    """

    allowed: frozenset[str] = frozenset()
    ttl: float = 30.0

    def allows(self, command: str) -> bool:
        """True if the command is on the list (R18)."""
        return "*" in self.allowed or command in self.allowed


class Rejected(ValueError):
    """A request that is not carried out; `problem` says why and what to do, at no great length."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = replace(problem, message=shortened(problem.message, _LONGEST_MESSAGE))


def malformed(reason: str, what_to_do: str) -> Problem:
    """The problem of a request that cannot be understood."""
    return Problem("malformed", reason, f"Nothing was done. {what_to_do}")


def check_topic(asked_on: CommandTopic, servers: Mapping[str, ServerRules]) -> type[Command[Any]]:
    """The command that the topic names, if it may be given to that server. Raises `Rejected`."""
    rules = servers.get(asked_on.server)
    if rules is None:
        near = nearest(asked_on.server, servers)
        hint = f"; did you mean {near}?" if near else ""
        raise Rejected(
            Problem(
                "unknown_server",
                f"{asked_on.server!r} is no server of this bridge{hint}",
                f"Nothing was done. Its servers are: {', '.join(servers)}.",
            )
        )
    try:
        command = command_class(asked_on.command)
    except InvalidArgument as error:
        commands = ", ".join(COMMANDS)
        raise Rejected(
            Problem(
                "unknown_command",
                f"{asked_on.command!r} {error.reason.partition('; the commands')[0]}",
                f"Nothing was done. HMP minds upper and lower case; its commands are: {commands}.",
            )
        ) from None
    if not rules.allows(command.name):
        allowed = ", ".join(name for name in COMMANDS if rules.allows(name)) or "none"
        raise Rejected(
            Problem(
                "not_allowed",
                f"{command.name} is not allowed on server {asked_on.server}",
                f"Nothing was done. Add it to servers.{asked_on.server}.allow_commands in the "
                f"bridge's configuration; allowed are: {allowed}.",
            )
        )
    return command


def check_command(command: type[Command[Any]], asked: Asked) -> Command[Any]:
    """The command with its parameters, each checked and typed. Raises `Rejected`."""
    try:
        return parse_command(command.name, asked.parameters)
    except InvalidArgument as error:
        raise Rejected(malformed(str(error), how_to_ask(command))) from None


def how_to_ask(command: type[Command[Any]]) -> str:
    """A right payload, as an example."""
    return f"Send {usage(command)}, or an array of the values in this order."
