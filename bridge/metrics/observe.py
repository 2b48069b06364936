"""Whoever looks on: log lines always, metrics where they are asked for.

The parts that know call it as things happen. It decides nothing, and nothing waits for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import outcome

from ..hmp.command import Command
from ..hmp.link import Passage
from ..logs.command_lines import ending, log_command
from ..logs.request_lines import RequestLog
from ..room.facts.values import Now, Result
from ..room.stages import Stages

if TYPE_CHECKING:  # an extra that need not be there
    from .meters import Meters

__all__ = ["Observer"]


class Observer:
    """Told of requests, servers, commands and commits; `clock` is the rooms' own."""

    def __init__(self, clock: Callable[[], Now]) -> None:
        self.meters: Meters | None = None
        self._requests = RequestLog(clock)

    def broker(self, *, online: bool) -> None:
        """The broker is reached, or no more."""
        self._requests.broker(online=online)

    def request_done(
        self, room: str, result: Result, stages: Stages, arrived: Callable[[], None]
    ) -> Callable[[], None]:
        """A request has its result; what to call, for `arrived`, once the broker has it too."""
        if self.meters is not None:
            self.meters.request_done(result)
        return self._requests.given(room, result, stages, arrived)

    def request_refused(self, result: Result) -> None:
        """A request was for no room, or for none of its actions."""
        if self.meters is not None:
            self.meters.request_done(result)

    def command_done(
        self, server: str, command: Command[Any], passage: Passage, result: outcome.Outcome[Any]
    ) -> None:
        """HMP answered, or will not."""
        log_command(server, command, passage, result)
        if self.meters is not None:
            self.meters.command_done(server, command, passage, ending(result))

    def server_added(self, server: str) -> None:
        """A link to one more server is there."""
        if self.meters is not None:
            self.meters.server_added(server)

    def server_removed(self, server: str) -> None:
        """The link to a server has ended for good; no command of it is told any more."""
        if self.meters is not None:
            self.meters.server_removed(server)

    def committed(self, seconds: float) -> None:
        """The journal was written."""
        if self.meters is not None:
            self.meters.committed(seconds)
