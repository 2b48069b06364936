"""A configuration for commands, and an HMP that it names."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.process.hmp import Hmp, session_of

CONFIGURATION = """
[mqtt]
username = "bridge"
password = "hunter2"

[servers.main]
host = "127.0.0.1"
port = {port}
query_timeout = "1m"
command_timeout = "1m"
start_timeout = "1m"

[rooms.r0]
server = "main"
session = "{session}"
"""


@pytest.fixture(scope="module")
def hmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hmp]:
    """An HMP for all tests of this module; a test that arms faults lets them go off."""
    with closing(Hmp(tmp_path_factory.mktemp("hmp"), rooms=1)) as running:
        yield running


@pytest.fixture
def configured(tmp_path: Path, hmp: Hmp) -> Path:
    """A configuration with that HMP as its server `main`."""
    file = tmp_path / "bridge.toml"
    file.write_text(CONFIGURATION.format(port=hmp.port, session=session_of(0)), encoding="utf-8")
    return file
