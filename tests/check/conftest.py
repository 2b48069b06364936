"""`check --live`, run in this process against a real broker and a simulated HMP."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.main import run
from tests.brokers import Broker
from tests.process.daemon import configuration, toml
from tests.process.hmp import Hmp

Said = tuple[int, list[str]]
Live = Callable[..., Said]


@pytest.fixture(scope="module")
def hmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hmp]:
    """An HMP for all tests of this module; a test that changes it changes it back."""
    with closing(Hmp(tmp_path_factory.mktemp("hmp"), rooms=2)) as running:
        yield running


@pytest.fixture
def live(tmp_path: Path, broker: Broker, hmp: Hmp, capsys: pytest.CaptureFixture[str]) -> Live:
    """`check --live` of a configuration for that broker and HMP: exit code and lines."""
    (tmp_path / "state").mkdir()

    def call(
        broker: Broker = broker,
        *,
        tables: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Said:
        ports = {"broker_port": broker.port, "hmp_port": hmp.port}
        whole = configuration(base_topic="hmp", **(ports | changes))
        whole["bridge"]["state_dir"] = str(tmp_path / "state")
        file = tmp_path / "bridge.toml"
        file.write_text(toml(whole | dict(tables or {})), encoding="utf-8")
        code = run(["check", "--config", str(file), "--live"])
        said = capsys.readouterr()
        assert said.err == ""
        assert "secret" not in said.out
        return code, said.out.splitlines()

    return call


def line_of(lines: list[str], start: str) -> str:
    """The one line that starts so, and what there is to do about it."""
    [found] = [number for number, line in enumerate(lines) if line.startswith(start)]
    advice = lines[found + 1] if lines[found + 1].startswith("      ") else ""
    return lines[found] + advice
