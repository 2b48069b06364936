"""Fixtures for files of configuration; nothing comes from where the tests are run."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode, run


@pytest.fixture(autouse=True)
def _clean_environment() -> Iterator[None]:
    """No variable of ours from outside, none left behind."""
    kept = dict(os.environ)
    for name in kept:
        if name.upper().startswith(("HMP_BRIDGE_", "CREDENTIALS_DIRECTORY")):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


Check = Callable[..., list[str]]


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """What `check` says of a `bridge.toml` with this text; it exits 78 and shows no secret."""

    def call(text: str) -> list[str]:
        (folder / "bridge.toml").write_text(text, encoding="utf-8")
        assert run(["check", "--config", "bridge.toml"]) == ExitCode.CONFIGURATION
        said = capsys.readouterr()
        assert said.out == ""
        assert "hunter2" not in said.err
        return said.err.splitlines()

    return call
