"""The table in config/README.md is what the brokers show."""

from pathlib import Path

from . import Broker
from .table import HEAD, NAMES, row

REFERENCE = Path(__file__).parent.parent.parent / "config" / "README.md"


def test_the_table_has_every_kind_that_was_asked() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert "\n".join(HEAD) in text
    for name in NAMES.values():
        assert f"\n| {name} |" in text


def test_the_table_says_what_the_broker_does(each_broker: Broker) -> None:
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    said = next(line for line in lines if line.startswith(f"| {NAMES[each_broker.kind]} |"))
    assert row(each_broker, said) == said
