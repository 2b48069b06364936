"""Which wall clock is believed, and who is asked."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.daemon.clock import Clock, is_synchronised, kernel_is_content, systemd_is_content

Says = Callable[[str], Path]


@pytest.fixture
def timedatectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """A program of that name which says something, and notes what it was asked."""

    def says(script: str) -> Path:
        program, asked = tmp_path / "timedatectl", tmp_path / "asked"
        program.write_text(f'#!/bin/sh\necho "$*" >>{asked}\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return asked

    return says


@pytest.mark.parametrize(
    ("script", "content"),
    [("echo yes", True), ("echo no", False), ("echo", False), ("exit 1", False)],
)
async def test_what_systemd_says(timedatectl: Says, script: str, content: bool) -> None:
    asked = timedatectl(script)
    assert await systemd_is_content() is content
    assert asked.read_text() == "show --property=NTPSynchronized --value\n"


async def test_no_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not await systemd_is_content()


async def test_systemd_is_asked_where_the_kernel_may_not_be(timedatectl: Says) -> None:
    timedatectl("echo yes")
    clock = Clock(ask=lambda: None)
    assert not clock().synchronised
    await clock.keep_asking()
    assert clock().synchronised


@pytest.mark.parametrize("answer", [True, False])
async def test_systemd_is_not_asked_where_there_is_an_answer(
    timedatectl: Says, answer: bool
) -> None:
    asked = timedatectl("echo yes")
    clock = Clock(ask=lambda: answer)
    await clock.keep_asking()
    assert clock().synchronised is answer
    assert not asked.exists()


async def test_a_trusted_clock_asks_nobody() -> None:
    def ask() -> bool:
        raise AssertionError("asked")

    clock = Clock(trusted=True, ask=ask)
    await clock.keep_asking()
    assert clock().synchronised


def test_what_else_speaks_for_a_clock(tmp_path: Path) -> None:
    """Where the kernel is not content, or may not be asked."""
    service, nothing = tmp_path / "service", tmp_path / "nothing"
    service.touch()
    if kernel_is_content():
        assert is_synchronised(nothing, (service,), nothing)
        return
    assert not is_synchronised(nothing, (service,), nothing)
    assert is_synchronised(nothing, (nothing,), nothing)
    assert is_synchronised(nothing, (service,), service)
    clock = tmp_path / "rtc0"
    clock.mkdir()
    (clock / "hctosys").write_text("1\n")
    assert is_synchronised(tmp_path, (service,), nothing)
    (clock / "hctosys").write_text("0\n")
    assert not is_synchronised(tmp_path, (service,), nothing)
