"""The observer: log lines always, metrics where they are asked for.

The outlet tells it of requests, the site of servers and their commands, the journal of commits, the
contact of the broker. It decides nothing, and nothing waits for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import outcome

from ..hmp.command import Command
from ..hmp.link import Passage
from ..logs.command_lines import ending, log_command
from ..logs.request_lines import Line, RequestLog
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

    def request_done(self, room: str, result: Result, stages: Stages) -> Line:
        """A request has its result; `result_arrived` is to be told once the broker has it too."""
        if self.meters is not None:
            self.meters.request_done(result)
        return self._requests.given(room, result, stages)

    def result_arrived(self, line: Line) -> None:
        """The broker has the result of a request."""
        self._requests.arrived(line)

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
