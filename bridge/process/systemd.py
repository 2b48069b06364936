"""Word to systemd (`sd_notify`): ready, alive, stopping, and a line for ``systemctl status``."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress

import trio

from .progress import Progress

__all__ = ["keep_status", "notify", "say_ready", "watchdog_seconds"]

_GRACE = 20.0
"""Seconds after which a start counts as done whatever is still out of reach: the status says what.

What waits for this unit waits no longer, well below the 90 s after which systemd gives it up.
"""

_STATUS_AGAIN = 30.0
"""Seconds after which a status that has not changed is said again."""


def notify(*assignments: str) -> None:
    """Send assignments such as ``READY=1``; nothing happens outside ``Type=notify``.

    Never waits, and never fails: a recording must not depend on who listens.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # Linux' abstract namespace
        address = f"\0{address[1:]}"
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with socket.socket(socket.AF_UNIX, kind) as notifier, suppress(OSError):
        notifier.connect(address)
        notifier.sendall("\n".join(assignments).encode())


async def say_ready(ready: Callable[[], bool]) -> None:
    """Say ``READY=1`` as soon as `ready`, or after a grace time; ends where nobody asks."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    with trio.move_on_after(_GRACE):
        while True:
            if ready():
                break
            await trio.sleep(0.1)
    notify("READY=1")


async def keep_status(status: Callable[[], str], progress: Progress) -> None:
    """Have the unit's status say `status`, within a second of a change; ends where nobody asks.

    It is looked at instead of waited for: what changes it is everywhere, who reads it a person.
    What others have said there meanwhile is overwritten within `_STATUS_AGAIN`.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    said, said_at = "", 0.0
    while True:
        now, line = trio.current_time(), " ".join(status().split())
        if line != said or now - said_at >= _STATUS_AGAIN:
            said, said_at = line, now
            notify(f"STATUS={line}")
        await progress.rest(trio.current_time() + 1.0)


def watchdog_seconds() -> float | None:
    """`WatchdogSec`, within which ``WATCHDOG=1`` is to be said; None where nobody asks."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    this_process = str(os.getpid())
    if not microseconds.isdecimal() or os.environ.get("WATCHDOG_PID", this_process) != this_process:
        return None
    return int(microseconds) / 1_000_000
