"""The page's files: small, whole, and with the same texts in every language as in the README."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.room.facts.vocabulary import ALARMS, Action, Outcome, State

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "bridge/web/static"
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS: dict[str, dict[str, Any]] = json.loads((STATIC / "texts.json").read_text(encoding="utf-8"))
LARGEST = 60_000
OFFERED = {Action.RECORD, Action.PAUSE, Action.RESUME, Action.STOP, Action.MARK, Action.EXTEND}


def leaves(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every text with the path to it."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield ".".join((*path, key)), value


def source(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def test_the_page_is_small() -> None:
    files = sorted(STATIC.iterdir())
    assert [each.name for each in files if each.suffix in (".html", ".css", ".js")] == [
        "page.css",
        "page.html",
        "page.js",
    ]
    assert sum(each.stat().st_size for each in files) <= LARGEST


def test_nothing_comes_from_elsewhere_and_nothing_is_inline() -> None:
    """What the Content-Security-Policy `default-src 'self'` would refuse is not there."""
    elsewhere = r'https?:|url\(|@import|\bimport\b|(?:src|href)="(?!/\w|/"|#)'
    for name in ("page.html", "page.css", "page.js"):
        assert re.findall(elsewhere, source(name)) == [], name
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", source("page.html")) == []


@pytest.mark.parametrize("language", TEXTS.keys() - {"en"})
def test_every_language_has_every_text(language: str) -> None:
    english, other = dict(leaves(TEXTS["en"])), dict(leaves(TEXTS[language]))
    assert other.keys() == english.keys()
    for path, text in other.items():
        assert text.strip(), path
        placeholders = re.findall(r"\{\w+\}", text)
        assert sorted(placeholders) == sorted(re.findall(r"\{\w+\}", english[path])), path


@pytest.mark.parametrize("language", TEXTS)
def test_there_is_a_text_for_all_that_a_room_can_say(language: str) -> None:
    texts = TEXTS[language]
    assert list(texts["states"]) == list(State)
    assert set(texts["alarms"]) == set(ALARMS)
    assert set(texts["outcomes"]) == set(Outcome)
    assert set(texts["fates"]) == {"asked", *Outcome}
    assert OFFERED <= set(texts["actions"]) <= set(Action)


def test_an_alarm_is_told_as_in_the_readme() -> None:
    """What it means and what to do, word by word."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| .+ \| .+ \|$", README, re.MULTILINE)
    told = {code: {"means": means, "do": do} for code, means, do in rows}
    plain = json.loads(json.dumps(told).replace("`", ""))
    assert {code: plain[code] for code in ALARMS} == TEXTS["en"]["alarms"]


def test_every_text_is_used() -> None:
    used = source("page.js") + source("page.html")
    groups = {key for key, value in TEXTS["en"].items() if isinstance(value, dict)}
    for group in groups:
        assert f"texts.{group}" in used, group
    named = set(re.findall(r'texts\.(\w+)|data-(?:text|label)="(\w+)"|"(\w+_\w+)"', used))
    words = {word for each in named for word in each if word}
    assert TEXTS["en"].keys() - groups - words == set()
