"""One Chromium of the distribution for all tests here, and two sites with a web door."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.brokers import Broker, free_port
from tests.process.site import Site
from tests.process.watched import PATIENCE

ROOMS = 16
"""Rooms of each site: no two tests have the same one."""

OPERATE, LOOK = "who-may-operate", "who-may-look"
"""Secrets of the fragile site."""

OpenTab = Callable[..., Page]


def chromium() -> str:
    """Path of the distribution's browser, best the one without windows; none is downloaded."""
    for name in ("chromium-headless-shell", "chromium"):
        if (found := shutil.which(name)) is not None:
            return found
    if os.environ.get("CI") == "true":
        raise pytest.UsageError("CI=true, and chromium is not installed: run .ci/run")
    pytest.skip("needs chromium: apt install chromium-headless-shell")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Started once. As root it has no sandbox of its own."""
    path = chromium()
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as driver:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]
        started = driver.chromium.launch(executable_path=path, args=sandbox)
        yield started
        started.close()


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[OpenTab]:
    """Open an address in a browser profile of its own: `open_tab(address, width=…, …)`.

    A fault of the script, or anything that the Content-Security-Policy refuses, fails the test.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # An answer of 401 or 503 is a line on the console too, and is not.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            faults.append(message.text)

    def open_one(address: str, *, width: int = 1024, height: int = 600, **how: Any) -> Page:
        settings: dict[str, Any] = {"locale": "en-GB", "reduced_motion": "reduce"} | how
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("console", heard)
        tab.goto(address)
        return tab

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


class WebSite(Site):
    """A site whose bridge serves its rooms' pages at `address`; `secret` opens them all."""

    def serve_pages(self, rooms: int, *, web: dict[str, Any] | None = None, **changes: Any) -> None:
        """Start everything; `web` is added to the table of that name."""
        self.add_hmp(rooms)
        self.configure(rooms=rooms, **changes)
        self.address = f"http://127.0.0.1:{free_port()}"
        self.secret = "" if web is None else f"#secret={web['operate_secret']}"
        self.tables["web"] = {"listen": self.address.removeprefix("http://")} | (web or {})
        self.add_panel()
        self.add_daemon()
        self.wait_ready()


@pytest.fixture(scope="package")
def house(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    """A site for all tests that break nothing."""
    with ExitStack() as stack:
        made = WebSite(tmp_path_factory.mktemp("house"), broker, stack)
        made.serve_pages(ROOMS)
        yield made


@pytest.fixture(scope="package")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    """A site, its broker too, of which a test may kill anything that it mends; it has secrets."""
    with ExitStack() as stack:
        own = Broker(tmp_path_factory.mktemp("broker"))
        stack.callback(own.kill)
        own.start()
        made = WebSite(tmp_path_factory.mktemp("fragile"), own, stack)
        made.serve_pages(
            ROOMS,
            web={"operate_secret": OPERATE, "look_secret": LOOK},
            room={
                "name": "Boardroom",
                "on_lost_start": "hold",
                "on_interrupted": "hold",
                "details": {"title": "{{ room.name }}: {{ meeting.title or 'recording' }}"},
            },
        )
        yield made


_numbers = count()


@pytest.fixture
def room() -> str:
    """A room of either site that nobody has used."""
    return f"r{next(_numbers)}"
