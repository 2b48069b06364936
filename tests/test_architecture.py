"""The walls of the house: who may import whom, and what every module has."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.watched import PATIENCE

BRIDGE = Path(__file__).parent.parent / "bridge"
MODULES = {
    ".".join(path.relative_to(BRIDGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(BRIDGE.rglob("*.py"))
}
LONGEST = 350

#: Modules that decide and never do: no I/O, no clock, no event loop.
PURE = [
    "bridge.api.answers",
    "bridge.api.checks",
    "bridge.bindings.binding",
    "bridge.bindings.conditions",
    "bridge.bindings.durable",
    "bridge.bindings.matching",
    "bridge.bindings.outcome",
    "bridge.bindings.timing",
    "bridge.check.report",
    "bridge.cluster.settings",
    "bridge.cluster.wire",
    "bridge.cli.completion.bash",
    "bridge.cli.completion.fish",
    "bridge.cli.completion.values",
    "bridge.cli.completion.zsh",
    "bridge.cli.description",
    "bridge.cli.man_page",
    "bridge.config.durations",
    "bridge.daemon.box_hearing",
    "bridge.daemon.box_words",
    "bridge.daemon.standing",
    "bridge.hmp.arguments",
    "bridge.hmp.command",
    "bridge.hmp.commands",
    "bridge.hmp.error_table",
    "bridge.hmp.errors",
    "bridge.hmp.link",
    "bridge.hmp.permission",
    "bridge.hmp.protocol",
    "bridge.hmp.recording_commands",
    "bridge.hmp.session_commands",
    "bridge.hmp.syntax",
    "bridge.journal.inputs",
    "bridge.intake.pace",
    "bridge.intake.sources",
    "bridge.homeassistant.components",
    "bridge.homeassistant.discovery",
    "bridge.homeassistant.names",
    "bridge.interface.asyncapi",
    "bridge.interface.broker_rights",
    "bridge.interface.openapi",
    "bridge.interface.plain",
    "bridge.interface.request_rows",
    "bridge.interface.topic_sheet",
    "bridge.logs.levels",
    "bridge.logs.redaction",
    "bridge.logs.repeats",
    "bridge.mqtt.api_topics",
    "bridge.mqtt.catalogue",
    "bridge.mqtt.certificate",
    "bridge.mqtt.filters",
    "bridge.mqtt.inputs",
    "bridge.mqtt.once_per_topic",
    "bridge.mqtt.packets",
    "bridge.mqtt.payload",
    "bridge.mqtt.payloads",
    "bridge.mqtt.shares",
    "bridge.mqtt.topics",
    "bridge.mqtt.topic_values",
    "bridge.text.durations",
    "bridge.text.json_text",
    "bridge.text.nearest",
    "bridge.text.patterns",
    "bridge.text.times",
    "bridge.text.truth",
    "bridge.text.zones",
    "bridge.room.facts.answer",
    "bridge.room.facts.changed",
    "bridge.room.rules.answers",
    "bridge.room.facts.detail",
    "bridge.room.rules.details",
    "bridge.room.rules.endings",
    "bridge.room.facts.happenings",
    "bridge.room.rules.foreign_commands",
    "bridge.room.rules.guarded",
    "bridge.room.rules.limits",
    "bridge.room.rules.live",
    "bridge.room.rules.lost_start",
    "bridge.room.facts.created",
    "bridge.room.facts.meeting",
    "bridge.room.rules.meeting_ends",
    "bridge.room.rules.meetings",
    "bridge.room.rules.model",
    "bridge.room.rules.plan",
    "bridge.room.rules.possible",
    "bridge.room.facts.policy",
    "bridge.room.facts.problems",
    "bridge.room.rules.reconfigure",
    "bridge.room.rules.recording_status",
    "bridge.room.delivery",
    "bridge.room.outlook",
    "bridge.room.rehearse",
    "bridge.room.facts.requests",
    "bridge.room.facts.restart",
    "bridge.room.rules.restream",
    "bridge.room.rules.session",
    "bridge.room.stages",
    "bridge.room.facts.state",
    "bridge.room.rules.table",
    "bridge.room.rules.turn",
    "bridge.room.facts.values",
    "bridge.room.facts.vocabulary",
    "bridge.text.cut",
    "bridge.text.shortened",
    "bridge.text.visible",
    "bridge.simulator.execution",
    "bridge.simulator.world",
    "bridge.templates.errors",
    "bridge.templates.filters",
    "bridge.templates.sandbox",
    "bridge.templates.syntax",
    "bridge.templates.template",
    "bridge.templates.values",
    "bridge.watch.view",
    "bridge.web.access",
    "bridge.web.guesses",
    "bridge.web.views",
]
DOES_IO = {"asyncio", "os", "paho", "select", "socket", "sqlite3", "ssl", "threading", "trio"}

#: The floors of the house, from the ground up. A module sees its own folder and the floors below.
FLOORS = [
    {"bridge.text"},
    {"bridge.process", "bridge.journal", "bridge.templates", "bridge.simulator"},
    {"bridge.hmp"},
    {"bridge.room.facts"},
    {"bridge.room.rules"},
    {"bridge.room.memory"},
    {"bridge.room"},
    {"bridge.logs", "bridge.mqtt"},
    {
        *("bridge.api", "bridge.bindings", "bridge.cluster", "bridge.homeassistant"),
        *("bridge.interface", "bridge.metrics", "bridge.web"),
    },
    {"bridge.config", "bridge.intake"},
    {"bridge.daemon", "bridge.watch"},
    {"bridge.check", "bridge.demo"},
    {"bridge.cli"},
    {"bridge.__main__"},
]

#: What sees less than its floor allows: what it may import of the package.
SEES_ONLY = {
    "bridge.hmp": {
        "bridge.hmp",
        "bridge.process.backoff",
        "bridge.process.progress",
        "bridge.process.tcp",
        "bridge.text.durations",
        "bridge.text.json_text",
        "bridge.text.nearest",
        "bridge.text.patterns",
        "bridge.text.times",
        "bridge.text.truth",
        "bridge.text.zones",
        "bridge.text.shortened",
    },
    "bridge.mqtt": {
        "bridge.journal.inputs",
        "bridge.mqtt",
        "bridge.process.backoff",
        "bridge.process.progress",
        "bridge.process.service_records",
        "bridge.process.systemd",
        "bridge.process.tcp",
        "bridge.room.facts",
        "bridge.text",
    },
    "bridge.cluster": {
        "bridge.cluster",
        "bridge.journal",
        "bridge.mqtt.settings",
        "bridge.mqtt.tls",
        "bridge.process.progress",
    },
    "bridge.room.facts": {
        "bridge.hmp",
        "bridge.room.facts",
        "bridge.templates",
        "bridge.text",
    },
    "bridge.room.rules": {"bridge.hmp", "bridge.room.facts", "bridge.room.rules"},
    "bridge.simulator": {"bridge.simulator", "bridge.text.nearest"},
    "bridge.journal": {"bridge.journal"},
    "bridge.process": {"bridge.process"},
    "bridge.web": {
        "bridge.logs",
        "bridge.mqtt.certificate",
        "bridge.mqtt.tls",
        "bridge.mqtt.topics",
        "bridge.room.facts",
        "bridge.room.rules.possible",
        "bridge.web",
        "bridge.process.progress",
    },
    "bridge.templates": {"bridge.templates", "bridge.text"},
    "bridge.text": {"bridge.text"},
    "bridge.logs.lines": {"bridge.text.visible"},
    "bridge.logs.repeats": set(),
    "bridge.logs.log": {
        "bridge.logs.levels",
        "bridge.logs.lines",
        "bridge.logs.redaction",
        "bridge.logs.repeats",
        "bridge.text.shortened",
        "bridge.text.visible",
    },
}


def imports(module: str) -> Iterator[str]:
    """Every module that this one imports, by its full name, whatever the spelling."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else base for name in names)


def reached(module: str) -> set[str]:
    """The modules that importing this one brings in, with the packages above them."""
    found: set[str] = set()
    to_do = [module]
    while to_do:
        name = to_do.pop()
        if name in found:
            continue
        found.add(name)
        if name in MODULES:
            above = name.rpartition(".")[0]
            to_do += [*imports(name), *([above] if above else [])]
    return found


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """The sets of modules that all reach one another, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        waiting.append(module)
        for other in graph[module]:
            if other not in order:
                visit(other)
            if other in waiting:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == order[module]:
            place = waiting.index(module)
            found.append(set(waiting[place:]))
            del waiting[place:]

    for module in graph:
        if module not in order:
            visit(module)
    return [each for each in found if len(each) > 1]


def printed(program: str) -> str:
    """What a program prints in a Python of its own, which has imported nothing yet."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=BRIDGE.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return done.stdout.strip()


def test_the_pure_modules_exist() -> None:
    assert set(PURE) <= set(MODULES)


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_import_nothing_that_does_io(module: str) -> None:
    outside = {name.partition(".")[0] for name in reached(module)}
    assert not outside & DOES_IO


def test_pure_modules_load_without_trio_and_paho() -> None:
    """What a module brings in by other ways shows when it is really imported."""
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"  # the measurement of coverage brings its own
        f"import {', '.join(PURE)}\n"
        "print(*sorted({'trio', 'paho', 'sqlite3', 'asyncio'} & set(sys.modules) - before))"
    )
    assert printed(program) == ""


def test_a_bridge_without_extras_loads_nothing_of_them() -> None:
    program = (
        "import sys, bridge.daemon.app, bridge.cluster.store\n"
        "extra = {'prometheus_client', 'anycorn', 'starlette', 'h11', 'bridge.metrics.meters'}\n"
        "extra |= {'httpx', 'anyio'}\n"
        "print(*sorted(extra & set(sys.modules)))"
    )
    assert printed(program) == ""


def folder(module: str) -> str:
    """The folder on whose floor a module stands: the innermost that has a place in the house."""
    while module not in PLACES and "." in module:
        module = module.rpartition(".")[0]
    return module


PLACES = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def test_every_folder_has_a_floor() -> None:
    assert {folder(name) for name in MODULES if name != "bridge"} == set(PLACES)


@pytest.mark.parametrize("module", [name for name in MODULES if name != "bridge"])
def test_nothing_looks_upwards(module: str) -> None:
    here = folder(module)
    upwards = {
        other
        for other in imports(module)
        if other in MODULES
        and other != "bridge"
        and folder(other) != here
        and PLACES[folder(other)] >= PLACES[here]
    }
    assert not upwards


def test_no_modules_import_one_another_in_a_circle() -> None:
    """What is imported for types alone counts: it has to be understood all the same."""
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}]
    assert not circles({name: set(imports(name)) & set(MODULES) - {name} for name in MODULES})


@pytest.mark.parametrize("inside", SEES_ONLY)
def test_dependencies_point_inward(inside: str) -> None:
    seeing = [name for name in MODULES if name == inside or name.startswith(f"{inside}.")]
    assert seeing
    strangers = {
        f"{name} → {other}"
        for name in seeing
        for other in imports(name)
        if other in MODULES
        and other != "bridge"
        and not any(other == near or other.startswith(f"{near}.") for near in SEES_ONLY[inside])
    }
    assert not strangers


def test_hmp_and_mqtt_never_meet() -> None:
    for one, other in (("bridge.hmp", "bridge.mqtt"), ("bridge.mqtt", "bridge.hmp")):
        direct = {target for name in MODULES if name.startswith(one) for target in imports(name)}
        assert not any(name.startswith(other) for name in direct)


def test_nothing_imports_what_runs_it() -> None:
    outer = {"bridge.daemon.app", "bridge.daemon.standby", "bridge.cli.main", "bridge.__main__"}
    outer |= {"bridge.demo.demo"}
    runs = outer | {"bridge.cli.programs"}
    for module in MODULES:
        if module not in runs:
            assert not outer & set(imports(module)), module


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_short_and_says_what_it_is(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    tree = ast.parse(text)
    if not tree.body:
        return  # the empty __init__.py of a folder
    assert ast.get_docstring(tree), "no docstring"
    if module.endswith("__main__") or len(tree.body) == 1:
        return  # nothing to be imported from it
    listed = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert listed, "no __all__"
    names = ast.literal_eval(listed[0])
    assert len(set(names)) == len(names)
    assert all(name == "__version__" or not name.startswith("_") for name in names)


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name.startswith("bridge.room.rules.")]
)
def test_rules_compare_nothing_with_the_clock_but_through_it(module: str) -> None:
    """`Now.has_come` and `Now.is_past` compare: a room is woken for what they are asked about."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    by_hand = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and part.attr in ("monotonic", "wall")
    ]
    assert not by_hand


def test_what_the_code_cites_is_written_down() -> None:
    rules = (BRIDGE / "RULES.md").read_text(encoding="utf-8")
    cited = {
        each
        for path in MODULES.values()
        for each in re.findall(r"\b([RE][1-9]\d?)[a-c]?\b", path.read_text(encoding="utf-8"))
    }
    assert cited == set(re.findall(r"\*\*([RE]\d+)\*\*", rules))
