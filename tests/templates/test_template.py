"""Templates: what they can say, what they refuse, and that nothing makes them slow or large."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.templates.errors import TemplateError
from bridge.templates.template import Template
from tests.process.watched import PATIENCE

NOW = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    name: str
    secret_method = print


def rendered(source: str, **values: object) -> str:
    return Template(source).render(values)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "{{ room.name }} {{ meeting.title or 'recording' }} {{ now.strftime('%F %H:%M') }}",
            "Boardroom recording 2026-03-01 09:05",
        ),
        ("{{ json.payload.object.topic }}", "Project Meeting"),
        ("{{ json['payload']['object']['topic'] }}", "Project Meeting"),
        ("{{ json.attendees[1].mail }}", "b@example.edu"),
        ("{{ json.attendees | join(', ', 'mail') }}", "a@example.edu, b@example.edu"),
        ("{% for each in json.attendees %}{{ loop.index }}{{ each.name }} {% endfor %}", "1A 2B "),
        ("{% for each in json.attendees %}{{ each.mail.split('@')[0] }} {% endfor %}", "a b "),
        ("{% for a in json.attendees if a.name.startswith('A') %}{{ a.name }}{% endfor %}", "A"),
        ("{% if json.private %}private{% else %}open{% endif %}", "open"),
        ("{{ json.title | default('untitled') }}", "untitled"),
        ("{{ json.mail.split('@')[0] }}", "jdoe"),
        ("{{ json.start | as_datetime + json.duration | minutes }}", "2024-01-15T11:00:00+00:00"),
        ('{{ (\'{"a": [1, "x"]}\' | from_json).a[1] }}{{ (json | from_json).title }}', "x"),
        ("{{ ('' | from_json).a }}{{ (json.missing | from_json).a }}", ""),
        ("{{ 1705312800000 | as_datetime }}", "2024-01-15T10:00:00+00:00"),
        ("{{ '2024-01-15t10:00:00z' | as_datetime }}", "2024-01-15T10:00:00+00:00"),
        ("{{ json.start | as_datetime + 'PT1H' | minutes }}", "2024-01-15T11:00:00+00:00"),
        ("{{ '%02d' % json.duration }}|{{ '%s-%s' | format(1, 2) }}", "60|1-2"),
        ("{{ json.duration * 60 }}", "3600"),
        ("{{ 'a' + json.nothing + 'b' }}", "ab"),
        ("{{ json.private }} {{ not json.private }} {{ none }}", "false true "),
        ("{{ json.attendees[0] }}", '{"name": "A", "mail": "a@example.edu"}'),
        ("{{ json.items }}{{ json.values }}", "an item"),
        ("{% set name = room.name | upper %}{{ name }}", "BOARDROOM"),
        ("one\n", "one\n"),
    ],
)
def test_what_templates_say(source: str, text: str) -> None:
    values = {
        "room": Place("Boardroom"),
        "meeting": {},
        "now": NOW,
        "json": {
            "payload": {"object": {"topic": "Project Meeting"}},
            "attendees": [
                {"name": "A", "mail": "a@example.edu"},
                {"name": "B", "mail": "b@example.edu"},
            ],
            "private": False,
            "mail": "jdoe@example.edu",
            "start": "2024-01-15T10:00:00Z",
            "duration": 60,
            "items": "an item",
        },
    }
    assert rendered(source, **values) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ nothing }}",
        "{{ nothing.at.all[3].and_more }}",
        "{{ nothing.strftime('%H') }}",
        "{{ json.absent.lower() }}",
        "{{ json['absent']['and'] }}",
        "{{ json.title.title }}",
        "{{ json.title.nothing.like.it }}",
        "{{ room.secret_method }}",
        "{{ range }}{{ lipsum }}{{ cycler }}{{ joiner }}{{ namespace }}{{ dict }}",
        "{{ json['__class__'] }}",
        "{{ json.title['__class__'] }}",
    ],
)
def test_what_is_not_there_is_empty(source: str) -> None:
    assert rendered(source, json={"title": "T"}, room=Place("B")) == ""


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ ''.__class__ }}", "'__class__'"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "__"),
        ("{{ ().__class__.__base__ }}", "__"),
        ("{{ json.__init__.__globals__ }}", "__"),
        ("{{ cycler.__init__.__globals__.os.popen('id') }}", "no method 'popen'"),
        ("{{ json | attr('__class__') }}", "no filter 'attr'"),
        ("{{ [json] | map(attribute='__class__') }}", "no filter 'map'"),
        ("{{ json | selectattr('__class__') }}", "no filter 'selectattr'"),
        ("{{ json | groupby('__class__') }}", "no filter 'groupby'"),
        ("{{ json | xmlattr }}", "no filter 'xmlattr'"),
        ("{{ '{0.__class__}'.format(json) }}", "no method 'format'"),
        ("{{ '{a.__class__}'.format_map({'a': 1}) }}", "no method 'format_map'"),
        ("{{ ''.encode() }}", "no method 'encode'"),
        ("{{ json.update({'a': 1}) }}", "no method 'update'"),
        ("{{ self }}", "'self'"),
        ("{{ self._TemplateReference__context }}", "not available"),
        ("{{ cycler('a') }}", "no function 'cycler'"),
        ("{{ lipsum(n=100000) }}", "no function 'lipsum'"),
        ("{{ namespace(a=1) }}", "no function 'namespace'"),
        ("{{ dict(a=1) }}", "no function 'dict'"),
        ("{{ json.get(*json) }}", "arguments with *"),
        ("{{ 'a'.upper()() }}", "only methods"),
        ("{% import 'os' as os %}", "import"),
        ("{% from 'os' import path %}", "from"),
        ("{% include '/etc/passwd' %}", "include"),
        ("{% extends 'base' %}", "extends"),
        ("{% macro m() %}{% endmacro %}", "macro"),
        ("{% call x() %}{% endcall %}", "call"),
        ("{% filter upper %}a{% endfilter %}", "filter"),
        ("{% block b %}{% endblock %}", "block"),
        ("{% with a = 1 %}{% endwith %}", "with"),
        ("{% set a %}text{% endset %}", "set"),
        ("{% set a.b = 1 %}", "set"),
        ("{% autoescape true %}{% endautoescape %}", "autoescape"),
        ("{% for a in json %}{% for b in json %}{% endfor %}{% endfor %}", "inside another"),
        ("{% for a in json recursive %}{{ loop(a) }}{% endfor %}", "recursive"),
        ("{% set l = [json, json] %}", "constants only"),
        ("{{ {'a': json} }}", "constants only"),
        ("{{ json is callable }}", "no test 'callable'"),
        ("{{ json is nonsense }}", "nonsense"),
        ("{{ json | nonsense }}", "nonsense"),
        ("{{ json.", "line 1"),
        ("{% if json %}", "endif"),
        ("one\ntwo {% nonsense %}", "line 2"),
        ("{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}", "nested"),
        ("{{ " + "-" * 9000 + "1 }}", ""),
        ("x" * 10_001, "10,001 characters"),
    ],
)
def test_what_a_template_may_not_contain(source: str, why: str) -> None:
    with pytest.raises(TemplateError) as refused:
        Template(source).render({"json": {}})
    assert why in str(refused.value)


BOMBS = [
    "{{ 'a' * 1000000000 }}",
    "{{ 1000000000 * 'a' }}",
    "{{ payload * 1000 }}",
    "{{ [0] * 1000000000 }}",
    "{{ (1, 2) * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 9 ** 9999999 }}",
    "{{ 2.0 ** 64 ** 64 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%.1000000000f' % 1 }}",
    "{{ '%*d' % 1000000000 }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ 'a'.center(1000000000) }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'.rjust(1000000000) }}",
    "{{ 'a'.zfill(1000000000) }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ now.strftime('%1000000000Y') }}",
    "{{ payload.replace('', payload) }}",
    "{{ payload | replace('', payload) | replace('', payload) }}",
    "{{ payload.split('') }}",
    "{{ payload | list | join(payload) }}",
    "{% for i in range(1000000000) %}{% endfor %}",
    "{% for i in payload %}{% endfor %}",
    "{% for i in range(100) %}{{ payload }}{% endfor %}",
    "{% for i in range(100) %}{% set x = payload | upper | lower | title %}{% endfor %}",
    "{% set x = payload | list %}{% for i in range(100) %}{{ x | sort | length }}{% endfor %}",
    "{% set x = payload %}" + "{% set x = x ~ x %}" * 60 + "{{ x }}",
    "{% set x = payload %}" + "{% set x = x + x %}" * 60 + "{{ x }}",
    "{% set x = 9 %}" + "{% set x = x * x %}" * 60 + "{{ x }}",
    "{% set x = 9 %}" + "{% set x = x * x %}" * 60,
    "{{ payload }}" * 100,
]


@pytest.mark.parametrize("source", BOMBS)
def test_bombs_are_defused_at_once(source: str) -> None:
    began = time.process_time()
    with pytest.raises(TemplateError):
        Template(source).render({"payload": "x" * 10_000, "now": NOW})
    assert time.process_time() - began < 1.0


def test_a_failure_at_run_time_names_its_line() -> None:
    template = Template("one\ntwo\n{{ 1 / json.zero }}")
    with pytest.raises(TemplateError, match="division by zero, line 3"):
        template.render({"json": {"zero": 0}})
    assert template.render({"json": {"zero": 2}}) == "one\ntwo\n0.5"


def test_a_time_without_a_zone_is_the_boxes(box_two_hours_ahead: None) -> None:
    """As it is where a meeting's time needs no filter."""
    source = "{{ json.start | as_datetime + 90 | minutes }}"
    assert rendered(source, json={"start": "2024-01-15T10:00:00"}) == "2024-01-15T11:30:00+02:00"
    assert rendered(source, json={"start": "2024-01-15T10:00:00Z"}) == "2024-01-15T11:30:00+00:00"


@pytest.mark.parametrize("source", ["{{ json.x * 60 }}", "{{ json.x < 1 }}", "{{ x + 1 }}"])
def test_what_is_not_there_is_no_number(source: str) -> None:
    with pytest.raises(TemplateError, match="there is no 'x' here, line 1"):
        rendered(source, json={"y": 1})


def test_a_method_that_the_value_does_not_have_is_said() -> None:
    with pytest.raises(TemplateError, match=r"a text has no strftime\(\), line 1"):
        rendered("{{ json.start.strftime('%H') }}", json={"start": "10:00"})


@pytest.mark.parametrize(
    "text",
    [
        'He said "hi"',
        "it's",
        "a|b||c",
        "one\ntwo\r\n",
        "tab\t",
        "😀👩‍👩‍👧 é",
        "{{ json.x }}",
        "x" * 10_000,
        "%s {0}",
    ],
)
def test_text_of_values_arrives_as_it_is(text: str) -> None:
    assert rendered("{{ json.title }}", json={"title": text}) == text
    assert (
        rendered("<{{ json.title | default('none') ~ '!' }}>", json={"title": text}) == f"<{text}!>"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_any_value_is_rendered_or_refused(value: object) -> None:
    for source in (
        "{{ json }}",
        "{{ json.title.a[0] | upper }}",
        "{{ json | length }}",
        "{{ json | int + 1 }}",
        "{{ json | as_datetime }}",
        "{{ (json | from_json).a }}{{ json | string | from_json }}",
        "{{ json | sort | join(', ') }}",
        "{{ json.strftime('%H') }}",
        "{% for each in json %}{{ each.items() }}{% endfor %}",
    ):
        try:
            assert isinstance(rendered(source, json=value), str)
        except TemplateError as error:
            assert str(error)  # noqa: PT017 - either is right


@given(st.text(alphabet="{}%#|'\"_.()[] \nabjson0123456789-+*~", max_size=60))
def test_any_source_is_compiled_or_refused(source: str) -> None:
    try:
        template = Template(source)
    except TemplateError as error:
        assert str(error)  # noqa: PT017 - either is right
    else:
        assert template.source == source


def test_templates_are_values() -> None:
    assert Template("{{ a }}") == Template("{{ a }}") != Template("{{ b }}")
    assert len({Template("{{ a }}"), Template("{{ a }}")}) == 1
    assert Template("{{ json.a }}{% set b = room %}{{ b }}{{ range(1) }}").names == {"json", "room"}


def test_what_is_known_of_names_is_checked() -> None:
    known = {"room": ("name",), "json": ()}
    for source in ("{{ room.name.upper() }}{{ json.x.y }}", "{{ room.get('name') }}{{ room }}"):
        Template(source).check(known)
    Template("{% for room in json %}{{ room.nmae }}{% endfor %}").check(known)
    for source, why in [
        ("{{ room.nmae | upper }}", "room has no nmae; did you mean name?"),
        ("{{ room['nmae'][0] }}", "room has no nmae"),
        ("{% if room.x %}{% endif %}", "room has no x; it has name"),
        ("{{ rom.name }}", "there is no rom here; there are: json, room; did you mean room?"),
    ]:
        with pytest.raises(TemplateError) as refused:
            Template(source).check(known)
        assert why in str(refused.value)


def test_values_are_not_changed() -> None:
    values = {"json": {"a": [1, 2]}}
    before = json.dumps(values)
    Template("{% set json = 3 %}{{ json }}{% for a in [1] %}{% set json = a %}{% endfor %}").render(
        values
    )
    assert json.dumps(values) == before


def test_jinja2_is_imported_with_the_first_template_only() -> None:
    program = "import sys, bridge.templates; print('jinja2' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.strip() == "False"


def test_what_roomos_boxes_is_written_unboxed() -> None:
    told = {"Event": {"Title": {"Value": "Weekly"}, "Other": {"Value": 1, "status": "x"}}}
    assert Template("{{ json.Event.Title }}").render({"json": told}) == "Weekly"
    assert "status" in Template("{{ json.Event.Other }}").render({"json": told})


def test_a_number_without_bounds_is_a_failure_like_any_other() -> None:
    with pytest.raises(TemplateError):
        Template("{{ 1e400|int }}").render({})
