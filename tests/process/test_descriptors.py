"""A process that may open few files: what it needs it has, pages and metrics take the rest."""

import resource
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing

import pytest

from .browser import client
from .site import MakeSite
from .watched import PATIENCE

LOOK = """
import resource
from bridge.process.descriptors import TooFewDescriptors, ensure_descriptors, spare_descriptors
try:
    ensure_descriptors({servers}, wanted={wanted})
except TooFewDescriptors as error:
    print(error)
else:
    print(*resource.getrlimit(resource.RLIMIT_NOFILE), spare_descriptors({servers}))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "servers", "wanted", "said"),
    [
        (64, 512, 4, 0, "64 512 32"),  # enough as it is
        (64, 512, 4, 100, "132 512 100"),
        (64, 512, 4, 1000, "512 512 480"),  # as many as there may be
        (64, 64, 4, 1000, "64 64 32"),
        (24, 512, 4, 0, "32 512 0"),
        (200, 512, 4, 100, "200 512 168"),  # never lowered
    ],
)
def test_as_many_as_are_needed_and_wanted(
    soft: int, hard: int, servers: int, wanted: int, said: str
) -> None:
    assert _look(soft, hard, servers, wanted) == said


def test_too_few_are_told() -> None:
    assert "needs 224 for 100 servers" in _look(64, 128, 100, 1000)


def _look(soft: int, hard: int, servers: int, wanted: int) -> str:
    return subprocess.run(
        [sys.executable, "-c", LOOK.format(servers=servers, wanted=wanted)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
    ).stdout.strip()


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="needs prlimit")
def test_pages_leave_broker_and_hmp_what_they_need(site: MakeSite) -> None:
    """More connections than there are descriptors; broker and HMP are lost and found meanwhile."""
    s = site(start=False)
    s.tables["web"] = {"listen": "127.0.0.1:0"}
    s.add_daemon(before=["prlimit", "--nofile=64:64"])
    s.wait_ready()
    with client(s) as asker, ExitStack() as stack:
        address = (asker.base_url.host, asker.base_url.port)
        for _ in range(100):
            stranger = stack.enter_context(closing(socket.create_connection(address)))
            stranger.sendall(b"GET /")
        recordings = s.hmp.kill()
        s.panel.wait_for_newest("room/r0/availability", "offline")
        s.hmp.start(recordings)
        s.panel.wait_for_newest("room/r0/availability", "online")
        s.panel.press("r0", "record")
        s.panel.wait_for("room/r0/ack", "record ok")
    with client(s) as asker:
        deadline = time.monotonic() + PATIENCE
        while (answer := asker.get("/rooms/r0")).status_code == 503:  # until the strangers are gone
            assert time.monotonic() < deadline
        assert answer.json()["state"] == "recording"
    assert "Too many open files" not in s.daemon.output
