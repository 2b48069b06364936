"""What `check --live` says of the state folder and its journal, without leaving a trace there."""

import fcntl
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode
from bridge.journal.file import SCHEMA_VERSION, FileStore
from bridge.journal.journal import Journal

from .conftest import Live, line_of


def test_the_folder_of_a_running_bridge_is_left_alone(live: Live, tmp_path: Path) -> None:
    state = tmp_path / "state"
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT)
    os.write(lock, b"4711")
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        code, lines = live()
    finally:
        os.close(lock)
    assert code == ExitCode.OK
    assert "a bridge (process 4711) runs" in line_of(lines, f"note  state folder {state}: ")
    assert [line for line in lines if "journal.db" in line] == []
    code, lines = live()
    assert line_of(lines, f"pass  journal {state}/journal.db: ")


def test_nothing_is_left_in_the_folder(live: Live, tmp_path: Path) -> None:
    """Made by another user it would keep the daemon out."""
    state = tmp_path / "state"
    assert live()[0] == ExitCode.OK
    assert list(state.iterdir()) == []
    Journal(FileStore(state)).close()
    before = sorted(state.iterdir())
    code, lines = live()
    assert (code, sorted(state.iterdir())) == (ExitCode.OK, before)
    assert line_of(lines, f"pass  journal {state}/journal.db: can be read")


def test_a_folder_that_is_none(live: Live, tmp_path: Path) -> None:
    (tmp_path / "state").rmdir()
    code, lines = live()
    assert code == ExitCode.OK
    assert "will be made at the first start" in line_of(lines, "pass  state folder ")
    (tmp_path / "state").touch()
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "bridge.state_dir" in line_of(lines, f"FAIL  state folder {tmp_path}/state: ")


def test_a_folder_that_cannot_be_looked_into(live: Live, tmp_path: Path) -> None:
    """As one behind another user's; whoever runs the tests may look everywhere but into a loop."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    code, lines = live(tables={"bridge": {"state_dir": str(loop / "state")}})
    assert code == ExitCode.UNAVAILABLE
    assert "cannot be used" in line_of(lines, f"FAIL  state folder {loop}/state: ")


def test_a_lock_that_cannot_be_read(live: Live, tmp_path: Path) -> None:
    (tmp_path / "state" / "lock").symlink_to(tmp_path / "state" / "lock")
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "cannot be used" in line_of(lines, f"FAIL  lock {tmp_path}/state/lock: ")


def test_a_folder_that_nobody_named(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own; under systemd it would be another, which is said."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    code, lines = live(tables={"bridge": {}})
    assert code == ExitCode.OK
    line = line_of(lines, f"pass  state folder {tmp_path}/hmp-bridge (this user's; under systemd ")
    assert line.endswith("will be made at the first start")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    assert line_of(live(tables={"bridge": {}})[1], f"pass  state folder {tmp_path}/state: can be")


def test_a_folder_below_a_file(live: Live, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    tables = {"bridge": {"state_dir": str(tmp_path / "file" / "state")}}
    code, lines = live(tables=tables)
    assert code == ExitCode.UNAVAILABLE
    assert "bridge.state_dir" in line_of(lines, "FAIL  state folder ")


def test_journals_that_cannot_be_used(live: Live, tmp_path: Path) -> None:
    journal = tmp_path / "state" / "journal.db"
    journal.write_bytes(b"this is no database, and long enough to be looked at" * 20)
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "is damaged" in line_of(lines, f"FAIL  journal {journal}: ")
    journal.unlink()
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "by a later hmp-bridge" in line_of(lines, f"FAIL  journal {journal}: ")
    journal.unlink()
    journal.mkdir()
    code, lines = live()
    assert code == ExitCode.UNAVAILABLE
    assert "cannot be opened" in line_of(lines, f"FAIL  journal {journal}: ")
    assert stat.S_ISDIR(journal.stat().st_mode)
