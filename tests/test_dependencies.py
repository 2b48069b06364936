"""What the project needs of others: a lower bound that is tested, and a pin for installations."""

import re
import tomllib
from pathlib import Path

import pytest

from .lower_bounds import PROJECT, lower_bounds

ROOT = PROJECT.parent
PINNED = (ROOT / "systemd/requirements.txt").read_text(encoding="utf-8")


def number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release))


def pins() -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", PINNED, re.MULTILINE))


def test_every_requirement_has_a_reason_beside_it() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    requirements = [line for line in lines if re.match(r'    "[\w.\[\],-]+[>"]', line)]
    assert len(requirements) > 20
    assert [line for line in requirements if not re.search(r",\s+# \w", line)] == []


def test_what_is_pinned_is_allowed() -> None:
    bounds = dict(each.split("==") for each in lower_bounds())
    installed = {name: bound for name, bound in bounds.items() if name != "amqtt"}  # the demo's
    assert installed.keys() <= pins().keys()
    for name, bound in installed.items():
        assert number(pins()[name]) >= number(bound), name


def test_every_pin_has_its_hashes() -> None:
    for entry in re.split(r"\n(?=[a-z])", PINNED.split("pyproject.toml\n", 1)[1]):
        assert "--hash=sha256:" in entry, entry


def test_a_requirement_without_a_lower_bound_is_named(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(
        '[project]\nname="x"\ndependencies=["trio"]\n[project.optional-dependencies]\n'
    )
    assert tomllib.loads(project.read_text())
    with pytest.raises(ValueError, match="trio: has no lower bound"):
        list(lower_bounds(project))
