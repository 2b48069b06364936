"""The table of faults is whole: what can be done, what can be found, and tests that exist."""

import re
from pathlib import Path

from .hmp_proxy import ARMS
from .judge import NAMES
from .mqtt_proxy import TRIGGERS

ROOT = Path(__file__).parents[2]
README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in README.partition("## Faults")[2].splitlines()
    if line.startswith("| ")
]


def test_every_fault_of_a_proxy_is_named() -> None:
    named = {name for fault, *_ in ROWS for name in re.findall(r"`(\w+)`", fault)}
    assert {*ARMS, *TRIGGERS} <= named


def test_every_violation_is_shown_by_a_fault() -> None:
    named = {name for *_, shown in ROWS for name in re.findall(r"`(\w+)`", shown)}
    assert named - {"kills", "mixed"} == set(NAMES)


def test_every_test_that_is_named_exists() -> None:
    paths = re.findall(r"`(tests/\S+)`", README)
    assert len(paths) >= 4
    assert [path for path in paths if not (ROOT / path).exists()] == []
