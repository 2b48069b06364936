"""A name service that never answers, and what goes on meanwhile."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from bridge.process.name_service import MOST_AT_ONCE, PATIENCE, name_service

from .site import MakeSite

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 23233))]


class Library:
    """A look-up that hangs, as the C library's does, until it is let go."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.begun = threading.Event()
        self.answer = threading.Event()
        self.let_go = threading.Event()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, host: bytes, *_: Any) -> list[Any]:
        with self._lock:
            self.asked.append(host)
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.set()
        self.let_go.wait()
        with self._lock:
            self.running -= 1
        if not self.answer.is_set():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ANSWER


@pytest.fixture
def library() -> Iterator[Library]:
    made = Library()
    yield made
    made.let_go.set()


async def refused(name: str) -> str:
    with pytest.raises(socket.gaierror) as caught:
        await trio.socket.getaddrinfo(name, 23233)
    return str(caught.value.strerror)


async def test_an_address_waits_for_no_name(library: Library) -> None:
    """However many names are asked for; and so do the threads that others have."""
    async with name_service(library), trio.open_nursery() as nursery:
        for number in range(200):
            nursery.start_soon(trio.socket.getaddrinfo, f"hmp{number}.example", 23233)
        await trio.testing.wait_all_tasks_blocked()
        for address in ("192.0.2.1", "2001:db8::1"):
            assert await trio.socket.getaddrinfo(address, 23233)
        assert await trio.to_thread.run_sync(lambda: library.running) <= MOST_AT_ONCE
        nursery.cancel_scope.cancel()
    assert library.most <= MOST_AT_ONCE


async def test_who_asks_waits_for_so_long(library: Library, autojump_clock: object) -> None:
    async with name_service(library):
        before = trio.current_time()
        assert "has not answered" in await refused("hmp.example")
        assert trio.current_time() == before + PATIENCE


async def test_one_name_is_one_thread(library: Library, autojump_clock: object) -> None:
    """Asked again and again for half a minute, as a link does that connects again."""
    async with name_service(library):
        for _ in range(8):
            await refused("hmp.example")
        await trio.to_thread.run_sync(library.begun.wait)
        assert library.asked == [b"hmp.example"]


async def test_an_answer_that_came_late_is_for_the_next(library: Library) -> None:
    """Asked of a second name server after the first was silent: later than anybody waits."""
    library.answer.set()
    async with name_service(library):
        with trio.move_on_after(0.01):
            await trio.socket.getaddrinfo("hmp.example", 23233)
        library.let_go.set()
        assert await trio.socket.getaddrinfo("hmp.example", 23233) == ANSWER
        assert library.asked == [b"hmp.example"]
        assert await trio.socket.getaddrinfo("hmp.example", 23233) == ANSWER
        assert library.asked == [b"hmp.example"] * 2


async def test_several_who_ask_get_the_same_refusal(library: Library) -> None:
    said: list[str] = []

    async def ask() -> None:
        said.append(await refused("hmp.example"))

    async with name_service(library), trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        library.let_go.set()
    assert said == ["Temporary failure in name resolution"] * 2


SILENT = [f"127.77.0.{number}" for number in (1, 2, 3)]


@pytest.fixture
def before(stack: ExitStack, tmp_path: Path) -> list[str]:
    """What to put before a command so that its name servers are some that never answer."""
    try:
        for address in SILENT:
            server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            server.bind((address, 53))
    except PermissionError:
        pytest.skip("this user may not have a name server's port")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not have a file system of its own")
    file = tmp_path / "resolv.conf"
    # Who waited for them would wait beyond any patience.
    options = "options timeout:30 attempts:5\n"
    file.write_text("".join(f"nameserver {address}\n" for address in SILENT) + options)
    script = f'mount --bind "{file}" /etc/resolv.conf && exec "$@"'
    return ["unshare", "-m", "sh", "-c", script, "sh"]


def test_a_record_where_the_others_have_names(site: MakeSite, before: list[str]) -> None:
    """More HMPs by name than Trio has threads, one by its address, name servers that are silent."""
    s = site(start=False)
    names = range(48)
    s.tables["servers"] |= {f"s{name}": {"host": f"hmp{name}.example"} for name in names}
    daemon = s.add_daemon(before=before)
    s.wait_ready()
    for name in names:
        daemon.wait_for_line("HMP cannot be used", f"server=s{name} ", "cannot be resolved")
    for action in ("record", "stop") * 5:
        mark = s.panel.mark()
        s.panel.press("r0", action)
        s.panel.wait_for("room/r0/ack", f"{action} ok", since=mark)
