"""The link to one HMP: one persistent connection, shared by everybody who has commands for it.

What holds at every moment:

- One command is in flight at most (R20). Replies carry no correlation, so a reply is the answer to
  the one command that waits, or the connection is given up.
- A command that was not answered in time closes the connection: a late reply must never answer the
  next command. So does a line that nobody waits for, and one that is no reply at all. A value that
  is not understood does not: it is its caller's (`NotUnderstood`), and is logged once.
- What `execute` raises says what has happened at HMP: after `LinkDown` nothing was sent, after
  `OutcomeUnknown` HMP may have done it, after `Refused` it has not.
- The link owns an exchange from its first byte to its reply. Cancelling the caller withdraws a
  command that waits, and waits for one that is in flight; a reply that was received is always
  returned (R6). Cancelling the link itself lets the exchange in flight end first.
- Commands are taken only while HMP has proved that they get through (`LinkState.READY`): by its
  answer to a question about a recording that does not exist (E49). They go by `Priority` (R22).

A command is written by whoever brings it, or as the reply before it comes. Per connection one task
reads, one writes the socket's rest, one probes a silent HMP, within the command's time limit.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import outcome
import structlog
import trio

from ..process.backoff import Backoff
from ..process.progress import Progress
from .command import Command
from .connection import Connect, command_timeout, connect_tcp, local_address, open_connection
from .errors import LinkDown, NotAuthorized, NotUnderstood, OutcomeUnknown, Refused
from .failures import Unusable, backend_down, connection_lost, not_authorized, withdrawn
from .link import LinkHealth, LinkSettings, LinkState, Passage, Priority
from .permission import ALWAYS, Permission
from .polls import Polls
from .probe import ALIVE_CODES, PROBE_PRIORITY, probe
from .protocol import Closed, Event, Protocol, Reply, State, Unsolicited
from .queue import CommandQueue, Exchanged, Request, Settled, Waiter
from .wire import Wire

__all__ = ["ServerLink"]

T = TypeVar("T")
log = structlog.get_logger("hmp")


class ServerLink:
    """Keeps one connection to one HMP and carries commands over it, one at a time.

    `changed` hears at once of every change of `state`, `exchanged` of what came of each command.
    `permission` is asked immediately before anything leaves that changes something at HMP.
    """

    def __init__(
        self,
        settings: LinkSettings,
        *,
        changed: Callable[[LinkState], None],
        connect: Connect = connect_tcp,
        exchanged: Exchanged | None = None,
        permission: Permission = ALWAYS,
    ) -> None:
        self.settings = settings
        self._changed = changed
        self._connect = connect
        self._permission = permission
        self._state = LinkState.CONNECTING
        self.progress = Progress()
        self._error: str | None = None
        self._logged_ways: set[str] = set()
        self._backoff = Backoff(settings.shortest_backoff, settings.longest_backoff)
        self._connections = 0
        self._queue = CommandQueue(exchanged)
        self._in_flight: Request | None = None
        # Of the connection; replaced when there is one.
        self._stream: trio.abc.Stream
        self._wire: Wire
        self._protocol = Protocol()
        self._scope = trio.CancelScope()
        self._silence = trio.CancelScope()
        self._failure: Unusable | None = None
        self._leaving = False
        self._proved_at = math.inf
        self._sent_at = 0.0
        self._round_trip: float | None = None
        self._last_answer: float | None = None
        self.polls = Polls(settings)

    @property
    def state(self) -> LinkState:
        """The state of the HMP, as far as it is known."""
        return self._state

    def health(self) -> LinkHealth:
        """The link as seen from outside."""
        return LinkHealth(
            state=self._state,
            round_trip=self._round_trip,
            last_answer=self._last_answer,
            queue_depth=len(self._queue),
            reconnects=max(0, self._connections - 1),
            error=self._error,
        )

    def reconfigure(self, settings: LinkSettings) -> None:
        """Go by `settings` from now on; for another address `run` is to be begun again."""
        moved, self.settings = settings.address != self.settings.address, settings
        self.polls = Polls(settings)
        if moved:
            self._logged_ways.clear()
            self._become(LinkState.CONNECTING)

    async def execute(
        self, command: Command[T], priority: Priority, heard: Settled | None = None
    ) -> T:
        """HMP's answer to `command`, which `heard` gets at once, before HMP says anything else.

        Raises `LinkDown`, `Refused` and `OutcomeUnknown`. A cancelled caller's command is withdrawn
        while it waits; once it is in flight this returns or raises what became of it all the same,
        within the command's time limit.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        waiter = Waiter(heard)
        request = self.submit(command, priority, Passage(), waiter.settle)
        answer: T = await waiter.wait(request.withdraw)
        return answer

    def submit(
        self, command: Command[Any], priority: Priority, passage: Passage, settled: Settled
    ) -> Request:
        """The same for whom no task waits: `settled` hears the answer, or what `execute` raises.

        Raises `LinkDown`. It is written at once where nothing is in flight, and may settle so.
        """
        if self._leaving or self._state is not LinkState.READY:
            raise self._down("the bridge is stopping" if self._leaving else self._error or "")
        request = self._queue.put(command, priority, passage, settled)
        self._send_next()
        return request

    async def run(self) -> None:
        """Connect, serve, and connect again, for ever (R21); ends only by cancellation."""
        self._leaving = False
        try:
            while True:
                try:
                    await self._connect_and_serve()
                except Unusable as failure:
                    self._fail(failure)
                    self._backoff.connection_ended(trio.current_time() - self._proved_at)
                    wait = failure.wait_at_least + self._backoff.next()
                    await self.progress.rest(trio.current_time() + wait)
        finally:
            self.progress.waits()
            self._leaving = True
            self._abandon("the bridge stopped")
            self._queue.refuse(partial(self._down, "the bridge is stopping"))

    async def _connect_and_serve(self) -> None:
        """One connection, from connecting to its end, which is always an `Unusable`."""
        self._proved_at = math.inf
        await self._permission.to_connect()
        self.progress.within(self.settings.connect_timeout + self.settings.greeting_wait)
        self._stream, self._protocol = await open_connection(self.settings, self._connect)
        self._connections += 1
        self._failure = None
        self._wire = Wire(self._stream, self._write_failed)
        self._queue.put(probe(), PROBE_PRIORITY)
        over = trio.Event()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._serve, over)
                try:
                    await over.wait()
                except trio.Cancelled:
                    self._leave()
                    raise
        finally:
            await trio.aclose_forcefully(self._stream)
        assert self._failure is not None  # noqa: S101 - _serve ends for no other reason
        raise self._failure

    async def _serve(self, over: trio.Event) -> None:
        """The tasks of one connection, shielded: an exchange in flight ends before they do (R6)."""
        with trio.CancelScope(shield=True) as self._scope:
            self._send_next()  # the probe
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read)
                nursery.start_soon(self._wire.run)
                nursery.start_soon(self._probe_when_silent)
        if self._in_flight is not None:
            command = self._in_flight.command
            limit = command_timeout(self.settings, command)
            self._end(connection_lost(f"no answer to {command.name} within {limit:g} s"))
        elif not self._leaving:
            self._end(connection_lost("the answer came at the last moment"))
        over.set()

    def _leave(self) -> None:
        """Take no more commands, and end the connection as soon as nobody waits for a reply."""
        self._leaving = True
        self._queue.refuse(partial(self._down, "the bridge is stopping"))
        if self._in_flight is None or self._in_flight.is_probe:
            self._scope.cancel()

    # What the three tasks of a connection do.

    async def _read(self) -> None:
        while True:
            self._take_in(*await self._wire.read())

    def look(self) -> None:
        """Take in the answer if it has come and a command waits for that: for who is busy else."""
        if self._in_flight is not None and self._queue and (data := self._wire.arrived()):
            self._take_in(data)

    def _take_in(self, data: bytes | bytearray, reason: str = "") -> None:
        for event in self._protocol.receive_data(data):
            self._handle(event, reason)
        self._send_next()

    async def _probe_when_silent(self) -> None:
        while True:
            with trio.move_on_after(self.settings.allowed_silence(self._state)) as self._silence:
                await trio.sleep_forever()
            if self._in_flight is None:
                self._enqueue_probe()

    def _enqueue_probe(self) -> None:
        """Ask next how a recording is that does not exist (E49)."""
        self._queue.put(probe(), PROBE_PRIORITY)
        self._send_next()

    def _send_next(self) -> None:
        """Write the first of the commands that wait, unless one is in flight."""
        if self._protocol.state is not State.IDLE or not self._queue or self._scope.cancel_called:
            return
        self._in_flight = request = self._queue.take()
        self._sent_at = request.passage.sent_at or trio.current_time()
        self.progress.within(limit := command_timeout(self.settings, request.command))
        self._scope.deadline = self._sent_at + limit
        if request.command.changes and not self._permission.to_change():
            self._not_sent(request, withdrawn())
        else:
            self._wire.write(self._protocol.send(request.command))

    def _write_failed(self, reason: str, nothing_sent: bool) -> None:
        if nothing_sent and self._in_flight is not None:
            self._not_sent(self._in_flight, self._lost(f"HMP closed the connection: {reason}"))
        else:
            self._end(self._lost(f"the connection broke: {reason}"))

    def _not_sent(self, request: Request, failure: Unusable) -> None:
        self._in_flight, request.passage.sent_at = None, None
        self._end(failure)
        request.settle(outcome.Error(self._down(self._error or "")))

    # What becomes of it. None of these waits.

    def _handle(self, event: Event, reason: str) -> None:
        match event:
            case Reply():
                self._replied(event)
            case Unsolicited():
                self._end(not_authorized(self.settings, local_address(self._stream)))
            case Closed(violation=None):
                self._end(self._lost(reason))
            case Closed():
                self._end(connection_lost(f"HMP broke the protocol: {event.violation}"))

    def _replied(self, reply: Reply) -> None:
        request, self._in_flight = self._in_flight, None
        assert request is not None  # noqa: S101 - there is no Reply without a command
        now = trio.current_time()
        self._round_trip, self._last_answer = now - self._sent_at, now
        self._scope.deadline = math.inf
        self.progress.within(self.settings.allowed_silence(self._state))
        if reply.lenient:
            self._log_once("lenient", "HMP answered with a space for the pipe")
        error = reply.error
        if isinstance(error, NotUnderstood):
            self._log_once(f"unclear {error.command}", "HMP's answer is unclear", error=str(error))
        if error is None and not self._leaving:
            self._send_next()  # before anybody has work with the answer
        request.settle(outcome.Error(error) if error else outcome.Value(reply.result), now)
        if isinstance(error, NotAuthorized):
            self._end(not_authorized(self.settings, local_address(self._stream)))
        elif request.is_probe:
            self._probed(error)
        elif isinstance(error, Refused) and error.backend_down and not self._leaving:
            self._enqueue_probe()
        self._silence.deadline = now + self.settings.allowed_silence(self._state)
        if self._leaving:
            self._scope.cancel()

    def _probed(self, error: Refused | NotUnderstood | None) -> None:
        self._proved_at = min(self._proved_at, trio.current_time())
        if isinstance(error, Refused) and error.code not in ALIVE_CODES:
            self._fail(backend_down(error.code, error.message))
            return
        self._error = None
        if self._state is not LinkState.READY:
            milliseconds = round((self._round_trip or 0.0) * 1000, 2)
            log.info("HMP is ready", server=self.settings.name, ms=milliseconds)
            self._logged_ways.clear()
            self._become(LinkState.READY)

    def _lost(self, reason: str) -> Unusable:
        if self._proved_at < math.inf:
            return connection_lost(reason)
        return not_authorized(self.settings, local_address(self._stream), silently=True)

    def _end(self, failure: Unusable) -> None:
        """Give the connection up."""
        if self._failure is None:
            self._failure = failure
            self._abandon(failure.reason)
            self._fail(failure)
            self._scope.cancel()

    def _fail(self, failure: Unusable) -> None:
        """Say what is wrong, where it is new, and let nobody wait for it to pass."""
        self._error = failure.reason
        self._log_once(failure.way, "HMP cannot be used", **failure.fields)
        self._become(failure.state)
        self._queue.refuse(partial(self._down, failure.reason))

    def _log_once(self, way: str, event: str, **fields: object) -> None:
        if way not in self._logged_ways:
            self._logged_ways.add(way)
            log.warning(event, server=self.settings.name, **fields)

    def _become(self, state: LinkState) -> None:
        if state is not self._state:
            self._state = state
            self._changed(state)

    def _abandon(self, reason: str) -> None:
        """Tell whoever waits for the command in flight that its answer will not come."""
        request, self._in_flight = self._in_flight, None
        if request is not None:
            waited = trio.current_time() - self._sent_at
            request.settle(outcome.Error(OutcomeUnknown(request.command.name, reason, waited)))

    def _down(self, reason: str) -> LinkDown:
        return LinkDown(LinkState.DOWN if self._leaving else self._state, reason)
