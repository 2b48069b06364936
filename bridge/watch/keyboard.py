"""A terminal whose keys count as they are pressed, and that is given back as it was."""

import os
import re
import select
import signal
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import trio

__all__ = ["Keyboard", "suspended_by_signal"]

_FUNCTION_KEY = re.compile(rb"\x1b(\[[0-9;]*[@-~]|O.|.)?", re.DOTALL)
"""The bytes that an arrow or a function key sends, in which letters are no keys."""


class Keyboard:
    """The keys of the terminal that `descriptor` reads from; none where it is no terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.there = os.isatty(descriptor)
        self._before: list[Any] | None = None

    def hold(self) -> None:
        """Take keys without Enter, and without showing them."""
        if self.there:
            self._before = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor)
            # Never wait in a read: a signal's key may have thrown away what there was to read.
            modes = termios.tcgetattr(self._descriptor)
            modes[6][termios.VMIN] = modes[6][termios.VTIME] = 0
            termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)

    def release(self) -> None:
        """Give the terminal back as it was."""
        if self._before is not None:
            # One that was closed meanwhile has nothing to be given back.
            with suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
            self._before = None

    async def until(self, key: bytes) -> None:
        """Wait for the key, or for the end of the terminal; for ever where there is none."""
        while self.there:
            await trio.lowlevel.wait_readable(self._descriptor)
            try:
                pressed = os.read(self._descriptor, 1024)
            except OSError:  # it was closed
                return
            gone = not pressed and self._hung_up()
            if gone or key in _FUNCTION_KEY.sub(b"", pressed).lower():
                return
        await trio.sleep_forever()

    def _hung_up(self) -> bool:
        terminal = select.poll()
        terminal.register(self._descriptor, 0)
        return any(events & select.POLLHUP for _, events in terminal.poll(0))


async def suspended_by_signal(leave: Callable[[], None], come: Callable[[], None]) -> None:
    """At every Ctrl-Z `leave`, stop, and `come` once the shell goes on; runs until cancelled."""
    with trio.open_signal_receiver(signal.SIGTSTP) as signals:
        async for _ in signals:
            leave()
            os.kill(os.getpid(), signal.SIGSTOP)
            come()
