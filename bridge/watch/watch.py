"""``hmp-bridge watch``: rooms and links live in the terminal; plain lines anywhere else.

It subscribes and nothing else, under a client id of its own: as many may watch as like to.
"""

import importlib.util
import math
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import trio

from ..config.configuration import Configuration
from ..mqtt.catalogue import retained_topics
from ..mqtt.failures import BrokerFailure
from ..mqtt.message import Message
from ..mqtt.settings import BrokerSettings
from ..mqtt.subscriber import listen
from ..process.signals import stop_on_signal
from ..text.output import put, say
from .keyboard import Keyboard, suspended_by_signal
from .view import View, message_line

__all__ = ["watch"]

_AT_LATEST = 1.0
"""Seconds after which the screen is drawn again, for the time that passes."""

_AT_MOST_EVERY = 0.1
"""Seconds between two drawings, however much happens."""


async def watch(configuration: Configuration) -> None:
    """Watch until SIGINT or SIGTERM, or, in a terminal, until ``q`` is pressed."""
    settings = replace(
        configuration.broker(""), client_id=f"hmp-bridge-watch-{secrets.token_hex(4)}"
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_on_signal, nursery.cancel_scope.cancel)
        base, by_name = configuration.mqtt.base_topic, _by_name(configuration)
        if not sys.stdout.isatty():
            await _lines(settings, base, by_name)
        elif importlib.util.find_spec("rich") is None:
            say("for a live table: pip install 'hmp-bridge[watch]'")
            await _lines(settings, base, by_name)
        else:
            view = View(base, configuration.servers, configuration.rooms)
            await _screen(settings, view, by_name)
        nursery.cancel_scope.cancel()


def _by_name(configuration: Configuration) -> list[str]:
    """Every topic that the broker may retain of this configuration."""
    topics = configuration.topics
    owners = [
        *(("server", name) for name in configuration.servers),
        *(("room", name) for name in configuration.rooms),
    ]
    return [
        *(topic for owner in owners for topic in retained_topics(topics.base, *owner)),
        *(topics.bridge_state, topics.bridge_info, topics.bridge_health),
    ]


async def _lines(settings: BrokerSettings, base: str, by_name: Sequence[str]) -> None:
    # Callbacks of the connection only hand over: printing may fail, and takes its time.
    said, lines = trio.open_memory_channel[str](math.inf)
    known = ""

    def deliver(message: Message) -> None:
        line = message_line(message.topic, message.payload, time.time())
        if line is not None:
            said.send_nowait(line)

    def changed(failure: BrokerFailure | None) -> None:
        nonlocal known
        reached = f"broker {settings.addresses} connected"
        news = reached if failure is None else f"{failure}; {failure.advice}"
        if news != known:
            known = news
            say(f"{time.strftime('%H:%M:%S')}  {news}")

    async with trio.open_nursery() as nursery:
        hear = partial(listen, settings, [f"{base}/#"], deliver, changed, by_name=by_name)
        nursery.start_soon(hear)
        async for line in lines:
            put(line)


async def _screen(settings: BrokerSettings, view: View, by_name: Sequence[str]) -> None:
    from rich.live import Live

    from .screen import Screen

    news = trio.Event()

    def deliver(message: Message) -> None:
        view.take(message.topic, message.payload, monotonic=time.monotonic(), wall=time.time())
        news.set()

    def changed(failure: BrokerFailure | None) -> None:
        view.failure = (
            "" if failure is None else str(failure).removeprefix(settings.addresses).strip()
        )
        news.set()

    keyboard = Keyboard(sys.stdin.fileno())
    keys = "q leaves" if keyboard.there else "Ctrl-C leaves"
    live = Live(screen=True, auto_refresh=False)

    def come() -> None:
        keyboard.hold()
        live.start()

    def leave() -> None:
        try:
            live.stop()
        finally:
            keyboard.release()

    try:
        come()
        async with trio.open_nursery() as nursery:
            stop = nursery.cancel_scope.cancel
            nursery.start_soon(_left, keyboard, stop)
            nursery.start_soon(suspended_by_signal, leave, come)
            hear = partial(listen, settings, view.filters, deliver, changed, by_name=by_name)
            nursery.start_soon(hear)
            while True:
                live.update(
                    Screen(view, settings.addresses, time.monotonic(), keys=keys), refresh=True
                )
                await trio.sleep(_AT_MOST_EVERY)
                with trio.move_on_after(_AT_LATEST - _AT_MOST_EVERY):
                    await news.wait()
                news = trio.Event()
    finally:
        leave()


async def _left(keyboard: Keyboard, stop: Callable[[], None]) -> None:
    """Call `stop` once somebody leaves, by the key or by a signal that would leave a mess."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_asked_to_leave, nursery.cancel_scope.cancel)
        await keyboard.until(b"q")
        nursery.cancel_scope.cancel()
    stop()


async def _asked_to_leave(stop: Callable[[], None]) -> None:
    with trio.open_signal_receiver(signal.SIGHUP, signal.SIGQUIT) as signals:
        async for _ in signals:
            stop()
