"""The state folder: one bridge at a time, and a name kept for ever (R26)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from bridge.journal.instance import (
    StateFolderError,
    claim_state_folder,
    client_id,
    state_folder,
    this_machine,
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


def claimed(folder: Path) -> str:
    with claim_state_folder(folder) as instance_id:
        return instance_id


def test_the_name_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "on" / "the" / "way"
    first = claimed(folder)
    assert len(first) == 16
    assert claimed(folder) == first
    assert claimed(tmp_path) != first
    kept = ["instance-id", "lock", *(["machine"] if this_machine() else [])]
    assert sorted(each.name for each in folder.iterdir()) == kept


def on(machine: str, folder: Path) -> str:
    with claim_state_folder(folder, machine) as instance_id:
        return instance_id


def test_a_cloned_disk_is_another_bridge(tmp_path: Path) -> None:
    """The copy takes a name of its own, once, and says so; the original keeps its."""
    original, copy = tmp_path / "original", tmp_path / "copy"
    first = on("a" * 16, original)
    shutil.copytree(original, copy)
    with structlog.testing.capture_logs() as said:
        second = on("b" * 16, copy)
    assert second != first
    [line] = said
    assert (line["before"], line["instance"]) == (first, second)
    with structlog.testing.capture_logs() as said:
        assert on("b" * 16, copy) == second
        assert on("a" * 16, original) == first
    assert said == []


def test_where_no_machine_is_known(tmp_path: Path) -> None:
    """As in a container, made anew each time: its folder is what it is known by."""
    first = on("", tmp_path)
    assert on("", tmp_path) == first
    assert on("a" * 16, tmp_path) == first  # from now on it is this machine's
    assert on("", tmp_path) == first
    assert on("b" * 16, tmp_path) != first


def test_a_power_cut_between_name_and_machine(tmp_path: Path) -> None:
    on("a" * 16, tmp_path)
    (tmp_path / "machine.new").mkdir()
    with pytest.raises(StateFolderError):
        on("b" * 16, tmp_path)
    (tmp_path / "machine.new").rmdir()
    second = on("b" * 16, tmp_path)
    assert on("b" * 16, tmp_path) == second


def test_a_session_at_the_broker_is_of_one_base_topic() -> None:
    """Two bridges from one image that has a machine id of its own differ in nothing else."""
    assert client_id("0" * 16, "hmp") != client_id("0" * 16, "site/hmp")
    assert client_id("0" * 16, "hmp") != client_id("1" * 16, "hmp")
    assert client_id("0" * 16, "hmp").startswith("hmp-bridge-0000000000000000-")


@pytest.mark.parametrize("damage", ["", "half", "0123456789ABCDEF", "\xff" * 16])
def test_a_damaged_name_is_replaced(tmp_path: Path, damage: str) -> None:
    (tmp_path / "instance-id").write_text(damage, encoding="latin-1")
    made = claimed(tmp_path)
    assert made != damage
    assert claimed(tmp_path) == made


def test_a_second_bridge_hears_who_is_there(tmp_path: Path) -> None:
    with claim_state_folder(tmp_path):
        with pytest.raises(StateFolderError) as caught, claim_state_folder(tmp_path):
            pass
        assert f"process {os.getpid()}" in str(caught.value)
        assert str(tmp_path) in str(caught.value)
        assert "bridge.state_dir" in str(caught.value)
    assert claimed(tmp_path)


def test_a_holder_that_has_not_written_its_number_yet(tmp_path: Path) -> None:
    """Between the lock and the number there is an instant."""
    with claim_state_folder(tmp_path):
        os.truncate(tmp_path / "lock", 0)
        with pytest.raises(StateFolderError, match="process unknown"):
            claimed(tmp_path)


def test_the_lock_ends_with_the_process(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from bridge.journal.instance import claim_state_folder\n"
        "with claim_state_folder(Path(sys.argv[1])) as name:\n"
        "    print(name, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        name = holder.stdout.readline().decode().strip()
        with pytest.raises(StateFolderError, match=f"process {holder.pid}"):
            claimed(tmp_path)
        holder.kill()
        holder.wait()
        assert claimed(tmp_path) == name


@pytest.mark.parametrize("obstacle", ["a file for the folder", "a folder for the lock"])
def test_a_folder_that_cannot_be_used(tmp_path: Path, obstacle: str) -> None:
    folder = tmp_path / "state"
    if obstacle == "a file for the folder":
        folder.touch()
    else:
        (folder / "lock").mkdir(parents=True)
    with pytest.raises(StateFolderError) as caught:
        claimed(folder)
    assert f"the state folder {folder} cannot be used: " in str(caught.value)
    assert "bridge.state_dir" in str(caught.value)


def test_a_name_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "instance-id.new").mkdir()
    with pytest.raises(StateFolderError, match="Is a directory; make it writable"):
        claimed(tmp_path)


def test_where_the_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As configured, else systemd's, else the user's."""
    assert state_folder(None) == Path.home() / ".local/state/hmp-bridge"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder(None) == tmp_path / "hmp-bridge"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/hmp-bridge:/var/lib/more")
    assert state_folder(None) == Path("/var/lib/hmp-bridge")
    assert state_folder(tmp_path) == tmp_path
