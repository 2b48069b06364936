"""What may stand in a template: its syntax tree, against lists of what is allowed."""

from collections.abc import Iterator

from jinja2 import nodes

from .errors import TemplateError
from .filters import FILTERS, TESTS
from .operations import METHODS

__all__ = ["FUNCTIONS", "JOINED", "TURNS", "bound", "check"]

FUNCTIONS = frozenset({"range"})
"""What can be called by its name."""

TURNS, JOINED = "turns of a loop", "joined"
"""Filters of our own, whose names nobody can write: around what a loop runs over, around ``~``."""

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.Assign,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Test,
    nodes.Call,
    nodes.Keyword,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Concat,
    nodes.Compare,
    nodes.Operand,
    nodes.BinExpr,
    nodes.UnaryExpr,
)
_WORDS: dict[type[nodes.Node], str] = {
    nodes.CallBlock: "{% call %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.FromImport: "{% from %}",
    nodes.AssignBlock: "{% set %} with a body",
    nodes.Scope: "{% autoescape %}",
}
_CONSTANTS = (nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Neg)


def check(tree: nodes.Template) -> None:
    """Refuse what is not listed; raises `TemplateError`."""
    for node in _all(tree):
        fault = _fault(node)
        if fault is not None:
            raise TemplateError(fault if node.lineno is None else f"{fault}, line {node.lineno}")


def _all(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all(child)


def _fault(node: nodes.Node) -> str | None:
    if not isinstance(node, _ALLOWED):
        word = _WORDS.get(type(node), f"{{% {type(node).__name__.lower()} %}}")
        return f"{word} is not available in templates"
    match node:
        case nodes.Name(name=name) if name.startswith("_") or name in {"self", "super", "caller"}:
            return f"the name {name!r} is not available in templates"
        case nodes.Getattr(attr=attribute) if attribute.startswith("_"):
            return f"{attribute!r} is not available in templates"
        case nodes.Filter() if node.node is None:
            return "{% filter %} is not available in templates"
        case nodes.Filter(name=name) if name not in FILTERS:
            return f"there is no filter {name!r}; there are: {', '.join(sorted(FILTERS))}"
        case nodes.Test(name=name) if name not in TESTS:
            return f"there is no test {name!r}; there are: {', '.join(sorted(TESTS))}"
        case nodes.Call():
            return _fault_of_call(node)
        case nodes.List() | nodes.Dict() | nodes.Tuple(ctx="load"):
            if not all(isinstance(each, _CONSTANTS) for each in _all(node)):
                return "a list or mapping that is written out can hold constants only"
        case _:
            return _fault_of_statement(node)
    return None


def _fault_of_statement(node: nodes.Node) -> str | None:
    match node:
        case nodes.For(recursive=True):
            return "{% for %} cannot be recursive"
        case nodes.For() if any(other is not node for other in node.find_all(nodes.For)):
            return "{% for %} cannot stand inside another {% for %}"
        case nodes.Assign(target=target) if not isinstance(target, nodes.Name):
            return "{% set %} takes one name"
        case _:
            pass
    return None


def _fault_of_call(node: nodes.Call) -> str | None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return "arguments with * are not available in templates"
    match node.node:
        case nodes.Getattr(attr=method):
            if method not in METHODS:
                return f"there is no method {method!r}; there are: {', '.join(sorted(METHODS))}"
        case nodes.Name(name=name) if name in FUNCTIONS:
            pass
        case nodes.Name(name=name):
            return f"there is no function {name!r}; there is range()"
        case _:
            return "only methods of values can be called"
    return None


def bound(tree: nodes.Template) -> None:
    """Have the lengths of loops and of ``~`` checked, which Jinja2 lets nobody intercept."""
    for node in list(_all(tree)):
        if isinstance(node, nodes.For):
            node.iter = _filter(node.iter, TURNS, node)
        elif isinstance(node, nodes.Concat):
            node.nodes = [_filter(nodes.List(node.nodes, lineno=node.lineno), JOINED, node)]


def _filter(values: nodes.Node, name: str, around: nodes.Node) -> nodes.Filter:
    made = nodes.Filter(values, name, [], [], None, None, lineno=around.lineno)
    if around.environment is not None:
        made.set_environment(around.environment)
    return made
