"""The files that commands print: those of the repository, to the letter."""

from pathlib import Path

import pytest

from bridge.cli.main import ExitCode, run
from bridge.cli.shipped import configuration_files, unit_files

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("command", "folder", "names"),
    [
        ("example-config", "config", [*configuration_files()]),
        ("unit", "systemd", [*unit_files()]),
    ],
)
def test_every_file_is_printed_as_it_is(
    command: str, folder: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(names) >= 3
    for name in names:
        assert run([command, name]) == ExitCode.OK
        assert capsys.readouterr().out == (ROOT / folder / name).read_text(encoding="utf-8")


def test_without_a_name_it_is_what_one_begins_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["example-config"]) == run(["unit"]) == ExitCode.OK
    begin = [ROOT / "config/bridge.toml", ROOT / "systemd/hmp-bridge.service"]
    assert capsys.readouterr().out == "".join(file.read_text(encoding="utf-8") for file in begin)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("example-config brigde.toml", "there is no file 'brigde.toml'; did you mean bridge.toml?"),
        ("example-config ../pyproject.toml", "there is no file '../pyproject.toml'; "),
        ("unit README.md", "there are hmp-bridge.service, "),
    ],
)
def test_any_other_name_is_refused(
    words: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words.split()) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert complaint in said.err
