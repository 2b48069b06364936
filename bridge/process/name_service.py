"""Names to addresses, by the system's name service, which may be silent for half a minute.

A look-up blocks a thread and cannot be called off. So it has threads of its own, few of them; each
name is looked up once at a time, whoever asks; and whoever asks waits no longer than `PATIENCE`. An
answer that comes after that is for the next who asks. An address needs none of this: Trio takes it
as it is.
"""

import math
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

import trio

__all__ = ["MOST_AT_ONCE", "PATIENCE", "name_service"]

PATIENCE = 4.0
"""Seconds that one asker waits: less than a connection may take, so that the reason is told."""

MOST_AT_ONCE = 32
"""Threads that may look up names; the thirty-third name waits for its turn."""

_KEPT = 60.0
"""Seconds that an answer nobody waited for is good."""

_Question: TypeAlias = tuple[bytes | None, bytes | str | int | None, int, int, int, int]
_Answer: TypeAlias = list[Any]
"""As `socket.getaddrinfo` gives it."""


class _LookUp:
    def __init__(self) -> None:
        self.ended = trio.Event()
        self.ended_at = math.inf
        self.answer: _Answer | OSError = []


@asynccontextmanager
async def name_service(
    look_up: Callable[..., _Answer] = socket.getaddrinfo,
) -> AsyncIterator[None]:
    """Have Trio ask here for names, by `look_up`, until the end of the run."""
    async with trio.open_nursery() as nursery:
        trio.socket.set_custom_hostname_resolver(_NameService(look_up, nursery))
        try:
            yield
        finally:
            trio.socket.set_custom_hostname_resolver(None)
            nursery.cancel_scope.cancel()


class _NameService(trio.abc.HostnameResolver):
    def __init__(self, look_up: Callable[..., _Answer], nursery: trio.Nursery) -> None:
        self._look_up = look_up
        self._nursery = nursery
        self._threads = trio.CapacityLimiter(MOST_AT_ONCE)
        #: Under way, or answered when nobody waited any more.
        self._look_ups: dict[_Question, _LookUp] = {}

    async def getaddrinfo(  # noqa: PLR0917 - as Trio calls it
        self,
        host: bytes | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> _Answer:
        """The addresses of a name. Raises `socket.gaierror`."""
        question = (host, port, family, type, proto, flags)
        asked = self._look_ups.get(question)
        if asked is None or asked.ended_at + _KEPT < trio.current_time():
            asked = self._look_ups[question] = _LookUp()
            self._nursery.start_soon(self._ask, question, asked)
        with trio.move_on_after(PATIENCE):
            await asked.ended.wait()
            if self._look_ups.get(question) is asked:
                del self._look_ups[question]
            if isinstance(asked.answer, OSError):
                raise socket.gaierror(*asked.answer.args)
            return asked.answer
        raise socket.gaierror(
            socket.EAI_AGAIN, f"the name service has not answered for {PATIENCE:g} s"
        )

    async def getnameinfo(
        self, sockaddr: tuple[str, int] | tuple[str, int, int, int], flags: int
    ) -> tuple[str, str]:
        """The address as it is, for nobody here asks for names of addresses."""
        return socket.getnameinfo(sockaddr, flags | socket.NI_NUMERICHOST)

    async def _ask(self, question: _Question, asked: _LookUp) -> None:
        try:
            asked.answer = await trio.to_thread.run_sync(
                partial(self._look_up, *question), abandon_on_cancel=True, limiter=self._threads
            )
        except OSError as error:
            asked.answer = error
        asked.ended_at = trio.current_time()
        asked.ended.set()
