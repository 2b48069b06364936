"""The table of R36, cell by cell, and the words of boxes."""

import json
import re
from itertools import product
from pathlib import Path

import pytest

import bridge
from bridge.daemon.box_words import (
    BoxState,
    BoxWord,
    read_word,
    ready_to_lead,
    render_word,
)
from bridge.daemon.standing import Facts, Others, Standing, standing_of
from bridge.mqtt.catalogue import BOX_ROWS
from tests.schemas import complaints

TRIED_IN = [
    *Path(__file__).parent.glob("test_shared_helm.py"),
    *Path(__file__).parents[1].glob("process/test_pair*.py"),
]

#: lease, session, store, others: how the box stands.
CELLS = {
    **dict.fromkeys(product([True], [True, False], [True], Others), Standing.LEADS),
    **dict.fromkeys(product([True], [True, False], [False], [Others.AWAY]), Standing.LEADS),
    **dict.fromkeys(
        product([True], [True, False], [False], [Others.THERE, Others.UNHEARD]), Standing.WAITS
    ),
    **dict.fromkeys(product([False], [True, False], [True], Others), Standing.ENDS),
    (False, True, False, Others.THERE): Standing.HOLDS,
    (False, False, False, Others.THERE): Standing.ENDS,
    **dict.fromkeys(product([False], [True, False], [False], [Others.UNHEARD]), Standing.HOLDS),
    (False, True, False, Others.AWAY): Standing.ALONE,
    (False, False, False, Others.AWAY): Standing.RETURNS,
}


def test_every_cell_is_there() -> None:
    assert set(CELLS) == set(product([True, False], [True, False], [True, False], Others))


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell(cell: tuple[bool, bool, bool, Others]) -> None:
    assert standing_of(Facts(*cell)) is CELLS[cell]


@pytest.mark.parametrize("others", [Others.AWAY, Others.UNHEARD])
@pytest.mark.parametrize("session", [True, False])
def test_a_lease_that_has_run_out_is_asked_about_before_anything_is_given_up(
    session: bool, others: Others
) -> None:
    assert standing_of(Facts(False, session, None, others)) is Standing.HOLDS


def test_nobody_acts_and_nobody_connects_without_a_reason() -> None:
    acts = {Standing.LEADS, Standing.WAITS, Standing.ALONE}
    assert {each for each in Standing if each.acts} == acts
    assert {each for each in Standing if each.may_connect and not each.acts} == {Standing.RETURNS}


def test_the_rules_have_the_same_table() -> None:
    """Each row of R36: lease, session, store, others, how the box stands, and tests of it."""
    rules = (Path(bridge.__file__).parent / "RULES.md").read_text(encoding="utf-8")
    row = re.compile(
        r"^\| (yes|no|either) \| (yes|no|either) \| (yes|no|either) \| (\w+) \| \*(\w+)\* "
        r".* \| (`\w+`(?:, `\w+`)*) \|$"
    )
    tests = "".join(each.read_text(encoding="utf-8") for each in TRIED_IN)
    said: dict[tuple[object, ...], Standing] = {}
    for line in rules.splitlines():
        if found := row.match(line):
            *facts, others, standing, names = found.groups()
            for name in names.split(", "):
                assert f"def test_{name.strip('`')}(" in tests, line
            truths = [[True, False] if each == "either" else [each == "yes"] for each in facts]
            heard = list(Others) if others == "any" else [Others(others)]
            said |= dict.fromkeys(product(*truths, heard), Standing(standing))
    assert said == CELLS


WORD = BoxWord(
    BoxState.STANDBY,
    "0123abcd",
    since="2026-11-29T15:00:00Z",
    version="1.0",
    configuration="0123456789ab",
    store=True,
    servers={"main": True, "west": False},
)


def test_a_word_is_read_as_it_was_rendered() -> None:
    read = read_word(render_word(WORD).encode())
    assert read is not None
    assert (read.state, read.process, read.store) == (WORD.state, WORD.process, True)
    assert (read.version, read.configuration, read.servers) == ("1.0", "0123456789ab", WORD.servers)


@pytest.mark.parametrize("word", [WORD, BoxWord(BoxState.OFFLINE, "0123abcd")], ids=str)
def test_a_word_is_as_it_is_described(word: BoxWord) -> None:
    [row] = BOX_ROWS
    assert complaints(row.values.schema, json.loads(render_word(word))) == []


@pytest.mark.parametrize(
    "payload",
    [b"", b"online", b"{}", b"[]", b'{"state":"king","process":"0123abcd"}', b'{"state":"leader"}'],
)
def test_anything_else_is_no_word(payload: bytes) -> None:
    assert read_word(payload) is None


def test_ready_is_who_stands_by_and_reaches_the_store() -> None:
    words = {
        "a": WORD,
        "b": BoxWord(BoxState.STANDBY, "0123abcd", store=False),
        "c": BoxWord(BoxState.LEADER, "0123abcd", store=True),
        "d": BoxWord(BoxState.LEAVING, "0123abcd", store=True),
    }
    assert ready_to_lead(words) == ["a"]
