"""What is said before anything starts: doors left open, and too little to work with."""

from contextlib import closing
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode

from .daemon import Daemon, configuration
from .programs import run_bridge


def test_an_insecure_connection_is_warned_of(tmp_path: Path) -> None:
    """By the daemon as it starts, by `check`, and by `check --live`."""
    tables = configuration(
        broker_port=1, hmp_port=1, base_topic="hmp", mqtt={"tls": {"insecure": True}}
    )
    with closing(Daemon(tmp_path, tables)) as daemon:
        daemon.wait_for_line("level=warning", "mqtt.tls.insecure is set", "what_to_do=")
        assert daemon.stop() == 0
    file = str(daemon.file)
    done = run_bridge("check", "--config", file)
    assert done.returncode == ExitCode.OK
    assert "warning: mqtt.tls.insecure is set" in done.stdout
    live = run_bridge("check", "--live", "--config", file)
    assert f"note  configuration {file}: mqtt.tls.insecure is set" in live.stdout


def limited(limit: int, folder: Path, servers: int) -> Daemon:
    tables = configuration(broker_port=1, hmp_port=1, base_topic="hmp")
    for number in range(servers - 1):
        tables["servers"][f"s{number}"] = {"host": "127.0.0.1", "port": 1}
    before = ["sh", "-c", f'ulimit -n {limit} && exec "$@"', "sh"]
    return Daemon(folder, tables, before=before)


@pytest.mark.parametrize("servers", [1, 30])
def test_too_few_file_descriptors(servers: int, tmp_path: Path) -> None:
    """Said in a sentence; with as many as it asks for, it has enough."""
    needed = 24 + 2 * servers
    with closing(limited(needed - 1, tmp_path, servers)) as daemon:
        assert daemon.wait() == ExitCode.UNAVAILABLE
        [said] = daemon.lines.since()
        assert f"may open {needed - 1} files" in said
        assert f"needs {needed} for {servers} servers; raise the limit" in said
    with closing(limited(needed, tmp_path, servers)) as daemon:
        daemon.wait_for_line("mqtt connection failed")
        daemon.wait_for_line("HMP cannot be used", "server=main")
        assert daemon.stop() == 0
        assert "Too many open files" not in daemon.output


def test_a_soft_limit_is_raised(tmp_path: Path) -> None:
    tables = configuration(broker_port=1, hmp_port=1, base_topic="hmp")
    before = ["sh", "-c", 'ulimit -S -n 16 && exec "$@"', "sh"]
    with closing(Daemon(tmp_path, tables, before=before)) as daemon:
        daemon.wait_for_line("mqtt connection failed")
        limits = Path(f"/proc/{daemon.pid}/limits").read_text(encoding="ascii")
        [line] = [each for each in limits.splitlines() if each.startswith("Max open files")]
        assert line.split()[3] == "26"
        assert daemon.stop() == 0
