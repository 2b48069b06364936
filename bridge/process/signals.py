"""Signals: to leave, of which the first asks and the second insists, and to reload."""

import os
import signal
from collections.abc import Callable

import structlog
import trio

__all__ = ["reload_on_signal", "stop_on_signal"]

log = structlog.get_logger("bridge")


async def stop_on_signal(stop: Callable[[], None]) -> None:
    """Call `stop` at the first SIGTERM or SIGINT, die of the second; runs until cancelled."""
    asked = False
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            if asked:
                # Whoever asks twice means now: as if the signal had never been caught.
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
                os._exit(128 + number)  # process 1 of a container survives that
            asked = True
            log.info("stopping", signal=signal.Signals(number).name)
            stop()


async def reload_on_signal(reload: Callable[[], None]) -> None:
    """Call `reload` at every SIGHUP; runs until cancelled, and never dies of one."""
    with trio.open_signal_receiver(signal.SIGHUP) as signals:
        async for _ in signals:
            reload()
