"""While it starts: what it imports, and how it ends when it is told to."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.brokers import Broker

from .daemon import Daemon, configuration
from .programs import HMP_BRIDGE, Program

MOMENTS = ["bridge.cli.operator", "trio", "pydantic", "paho.mqtt.client", "bridge.daemon.app"]
"""What has just been imported, from the first to the last; before that Python itself starts."""

IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Has Python say so."""

PROCESS_1 = ["unshare", "--pid", "--fork", "--kill-child"]


NOT_NEEDED = (
    *("rich", "pygments", "markdown_it"),  # structlog: tracebacks in colour
    *("dns", "httpx"),  # paho: service records; the store that boxes share
    *("starlette", "anycorn", "prometheus_client", "jinja2", "amqtt"),  # nothing asks for these
)
"""Packages that a bridge with rooms and without extras in use comes online without."""


def starting(folder: Path, before: Sequence[str] = (), broker_port: int = 1) -> Daemon:
    """A daemon whose HMP is not there; nor is its broker, unless it is given one."""
    tables = configuration(broker_port=broker_port, hmp_port=1, base_topic="hmp")
    return Daemon(folder, tables, environment=IMPORTS, before=before)


def wait_for_import(daemon: Daemon, name: str) -> None:
    daemon.lines.first(lambda line: line.startswith("import") and line.endswith(f" {name}"), name)


def test_only_what_is_needed_is_imported_before_it_is_online(
    broker: Broker, tmp_path: Path
) -> None:
    """Whoever waits for the bridge after a power cut waits for every import."""
    with closing(starting(tmp_path, broker_port=broker.port)) as daemon:
        daemon.wait_for_line("mqtt connected")
        lines = daemon.lines_with("import time:")
        named = {line.rpartition("|")[2].strip() for line in lines}
        # What is looked for in vain is named too, but not both a package and modules of it.
        imported = named & {name.partition(".")[0] for name in named if "." in name}
        assert {"bridge", "trio", "paho", "structlog"} <= imported
        assert imported & set(NOT_NEEDED) == set()


@pytest.mark.parametrize("moment", MOMENTS)
def test_at_any_moment_of_its_start(moment: str, tmp_path: Path) -> None:
    with closing(starting(tmp_path)) as daemon:
        wait_for_import(daemon, moment)
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.output


@pytest.mark.parametrize("moment", MOMENTS)
def test_as_the_first_process_of_a_container(moment: str, tmp_path: Path) -> None:
    """To which the kernel gives no signal that it does not handle."""
    if subprocess.run([*PROCESS_1, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not have processes of its own")
    with closing(starting(tmp_path, before=PROCESS_1)) as daemon:
        wait_for_import(daemon, moment)
        children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children")
        os.kill(int(children.read_text(encoding="ascii")), signal.SIGTERM)
        assert daemon.wait() == 0
        assert "Traceback" not in daemon.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_has_not_done_its_work(number: signal.Signals, tmp_path: Path) -> None:
    """It says so, as any process does that a signal has ended."""
    with closing(Program([HMP_BRIDGE, "check"], environment=IMPORTS, folder=tmp_path)) as check:
        check.lines.first(lambda line: line.endswith(" bridge.cli.operator"), "the import")
        assert check.stop(number) == 128 + number
        assert "Traceback" not in check.output
