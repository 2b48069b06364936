"""No text of a message makes a template slow: the work grows with its length and no faster."""

import contextlib
import time
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.templates.errors import TemplateError
from bridge.templates.filters import FILTERS, METHODS, TESTS
from bridge.templates.template import Template

from .test_template import rendered

LITERAL = {"format", "strftime"}
"""What takes no format from a message."""


def sources() -> list[str]:
    """Whatever a template can do with the texts a and b of a message."""
    given = ("", "(json.b)", "(json.b, json.b)", "('x', json.b)", "(0, 16)")
    values = ("json.a", "json.words", "json.a | from_json", "(json.a | int(0, 16))")
    calls = [f"json.a.{name}{call or '()'}" for name in METHODS for call in given]
    calls += [f"{value} | {name}{call}" for value in values for name in FILTERS for call in given]
    calls += [
        f"{value} is {name}{call}" for value in values for name in TESTS for call in given[:2]
    ]
    signs = ("+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and")
    for value in values:
        calls += [f"{value} {sign} {other}" for sign in signs for other in ("json.b", "10", value)]
        calls += [f"10 {sign} {value}" for sign in signs]
    calls += ["'%s %r' % (json.a)", "'%d' % json.a", "'%s' | format(json.a)", "json.a[::-1]"]
    calls += ["json.a.split(json.b) | join(json.b)", "json.words | join(json.b, json.b)"]
    return [f"{{% set x = {call} %}}{{{{ x }}}}" for call in calls]


@cache
def templates() -> dict[str, Template]:
    """Those that there can be; they take seconds to make, which only who runs this should spend."""
    made = {}
    for source in sources():
        with contextlib.suppress(TemplateError):
            made[source] = Template(source)
    return made


def seconds(template: Template, a: str, b: str) -> float:
    """The time of the processor that a rendering takes, of several the least."""
    values = {"json": {"a": a, "b": b, "words": [a[:40]] * (len(a) // 40)}}
    times = []
    for _ in range(3):
        began = time.process_time()
        with contextlib.suppress(TemplateError):  # what is refused at once is as good
            template.render(values)
        times.append(time.process_time() - began)
        if times[-1] < FLOOR:
            break
    return min(times)


FLOOR = 0.05
"""Seconds that an operation may take whatever the length."""

LENGTH = 40_000


def test_there_is_much_to_try() -> None:
    tried = " ".join(templates())
    assert all(f"| {name}" in tried for name in FILTERS if name not in LITERAL)
    assert all(f".{name}(" in tried for name in METHODS if name not in LITERAL)
    assert all(f" is {name}" in tried for name in TESTS)


HOSTILE = st.text("%{}\\ 0123456789ab*.,\"'[]é😀\n", min_size=1, max_size=6)


@settings(max_examples=6, deadline=None)
@given(HOSTILE, HOSTILE, st.text("%ab1 ", max_size=2), st.text("%ab1 ", max_size=2))
@example("%", "%", "", "")
@example("9", "9", "", "")
@example("a", "a", "ab", "")
@example("f", "0", "", "f")
def test_work_grows_with_the_length(unit: str, sought: str, before: str, after: str) -> None:
    def texts(length: int) -> tuple[str, str]:
        return (unit * length)[:length], before + (sought * length)[: length // 2] + after

    for source, template in templates().items():
        whole = seconds(template, *texts(LENGTH))
        if whole > FLOOR:
            quarter = seconds(template, *texts(LENGTH // 4))
            # Sixteen times the work where it grew with the square.
            assert whole <= 8 * quarter, source


@pytest.mark.parametrize(
    "source",
    [
        "{{ json.n % 10 }}",
        "{{ json.n % (1, 2) }}",
        "{{ (json.n ~ '') % 10 }}",
        "{{ ('%d' ~ json.n) % 10 }}",
        "{% set form = json.n %}{{ form % 10 }}",
        "{{ json.n is divisibleby 10 }}",
        "{{ json.n is even }}",
        "{{ json.n is odd }}",
    ],
)
def test_no_text_of_a_message_is_a_format(source: str) -> None:
    """Not even one that would be right."""
    for text in ("%d", "%1000000000d", "%" * 60_000, "7"):
        with pytest.raises(TemplateError, match="needs a format that is written out"):
            rendered(source, json={"n": text})


@pytest.mark.parametrize(
    "source",
    [
        "{{ json.n | format(1) }}",
        "{{ ('a' ~ json.n) | format(1) }}",
        "{{ now.strftime(json.n) }}",
        "{{ now.strftime(format=json.n) }}",
        "{{ now.strftime('%H' ~ json.n) }}",
    ],
)
def test_a_format_is_written_out_which_is_seen_at_once(source: str) -> None:
    with pytest.raises(TemplateError, match="a format is written out"):
        Template(source)


def test_no_number_of_a_message_gets_large() -> None:
    with pytest.raises(TemplateError, match="a number gets too large"):
        rendered("{{ json.n | int(0, 16) // 7 }}", json={"n": "f" * 100_000})


def test_numbers_have_a_remainder() -> None:
    assert rendered("{{ json.n % 10 }}{{ json.n is even }}", json={"n": 123}) == "3false"
    assert rendered("{{ json.n is odd }}{{ json.n is divisibleby 3 }}", json={"n": 9}) == "truetrue"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 'Room 2024, 100%%: %s' % json.n }}", "Room 2024, 100%: 7"),
        ("{{ '%s ** %05.1f' | format(json.n, 2) }}", "7 ** 002.0"),
        ("{{ '%(n)s' % json }}", "7"),
    ],
)
def test_formats(source: str, text: str) -> None:
    assert rendered(source, json={"n": 7}) == text


@pytest.mark.parametrize("form", ["%*d", "%.*f", "%1000d", "%(n)1000d", "%%%1000d", "%.999f"])
def test_a_format_without_a_bound_is_refused(form: str) -> None:
    with pytest.raises(TemplateError, match="a width in a format is at most 99"):
        Template(f"{{{{ '{form}' % json.n }}}}")


def test_what_is_said_of_a_failure_is_short() -> None:
    with pytest.raises(TemplateError) as failed:
        rendered("{{ json.n | round }}", json={"n": "x" * 100_000})
    assert len(str(failed.value)) < 700
