"""The syntax tree of a template, against lists of what is allowed, and made safe to run."""

from collections.abc import Collection, Iterator

from jinja2 import nodes

from ..text.nearest import did_you_mean
from .errors import TemplateError
from .filters import FILTERS, TESTS
from .methods import METHODS, fault_of_format

__all__ = ["FORMATTED", "FUNCTIONS", "JOINED", "METHOD", "TURNS", "check", "fields", "rewritten"]

FUNCTIONS = frozenset({"range"})
"""The functions that can be called by their names."""

METHOD, TURNS, JOINED, FORMATTED = "method ", "turns of a loop", "joined", "formatted"
"""Filters of our own, whose names nobody can write: before the name of a method or function, around
what a loop runs over, around ``~``, and for ``%`` after a text.
"""

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.If, nodes.For, nodes.Assign),
    *(nodes.Expr, nodes.Pair, nodes.Keyword, nodes.Operand),
)
_WORDS: dict[type[nodes.Node], str] = {
    nodes.CallBlock: "{% call %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.FromImport: "{% from %}",
    nodes.AssignBlock: "{% set %} with a body",
    nodes.Scope: "{% autoescape %}",
}
_CONSTANTS = (nodes.Literal, nodes.Pair, nodes.Neg)


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
        case nodes.Filter() | nodes.Test() | nodes.Call():
            return _fault_of_call(node)
        case nodes.For() | nodes.Assign():
            return _fault_of_statement(node)
        case nodes.Name(name=name) if name.startswith("_") or name in {"self", "super", "caller"}:
            return f"the name {name!r} is not available in templates"
        case nodes.Getattr(attr=attribute) if attribute.startswith("_"):
            return f"{attribute!r} is not available in templates"
        case nodes.Mod(left=nodes.Const(value=str(form))):
            return fault_of_format(form, of_time=False)
        case nodes.List() | nodes.Dict() | nodes.Tuple(ctx="load"):
            if not all(isinstance(each, _CONSTANTS) for each in _all(node)):
                return "a list or mapping that is written out can hold constants only"
        case _:
            pass
    return None


def _fault_of_statement(node: nodes.For | nodes.Assign) -> str | None:
    match node:
        case nodes.For(recursive=True):
            return "{% for %} cannot be recursive"
        case nodes.For() if any(other is not node for other in node.find_all(nodes.For)):
            return "{% for %} cannot stand inside another {% for %}"
        case nodes.Assign(target=target) if not isinstance(target, nodes.Name):
            return "{% set %} takes one name"
        case _:
            return None


def _fault_of_call(node: nodes.Filter | nodes.Test | nodes.Call) -> str | None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return "arguments with * are not available in templates"
    match node:
        case nodes.Filter(node=None):
            return "{% filter %} is not available in templates"
        case nodes.Filter(name="format", node=form):
            return _fault_of_format(form, of_time=False)
        case nodes.Filter(name=name):
            return _not_among(FILTERS, "filter", name)
        case nodes.Test(name=name):
            return _not_among(TESTS, "test", name)
        case nodes.Call(node=nodes.Getattr(attr="strftime")):
            given = [*node.args, *(each.value for each in node.kwargs)]
            faults = (_fault_of_format(each, of_time=True) for each in given)
            return next(filter(None, faults), None)
        case nodes.Call(node=nodes.Getattr(attr=name)):
            return _not_among(METHODS, "method", name)
        case nodes.Call(node=nodes.Name(name=name)):
            return _not_among(FUNCTIONS, "function", name)
        case _:
            return "only methods of values can be called"


def _not_among(known: Collection[str], kind: str, name: str) -> str | None:
    if name in known:
        return None
    all_of_them = f"there are: {', '.join(sorted(known))}"
    return f"there is no {kind} {name!r}; {did_you_mean(name, known, all_of_them)}"


def _fault_of_format(form: nodes.Node | None, *, of_time: bool) -> str | None:
    match form:
        case nodes.Const(value=str(text)):
            return fault_of_format(text, of_time=of_time)
        case _:  # a message may have written it
            return "a format is written out, such as '%02d'"


def fields(tree: nodes.Template) -> frozenset[tuple[str, str]]:
    """The names of a template with what is read of them, such as ``room.name``; not their methods.

    Where a template gives a name a value of its own, nothing is known about it.
    """
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    methods = [node.node for node in tree.find_all(nodes.Call)]
    found = set()
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        match node:
            case nodes.Getattr(node=nodes.Name(name=name), attr=field) if (
                name not in own and not any(node is each for each in methods)
            ):
                found.add((name, field))
            case nodes.Getitem(node=nodes.Name(name=name), arg=nodes.Const(value=str(field))) if (
                name not in own
            ):
                found.add((name, field))
            case _:
                pass
    return frozenset(found)


def rewritten(node: nodes.Node) -> None:
    """Turn calls, loops, ``~`` and formats below a node into filters, which are all bounded.

    Nothing is left to be called: a method is looked up by the name that stands in the template.
    """
    for name in node.fields:
        child = getattr(node, name)
        if isinstance(child, nodes.Node):
            setattr(node, name, _safe(child))
        elif isinstance(child, list):
            setattr(node, name, [_safe(e) if isinstance(e, nodes.Node) else e for e in child])
    if isinstance(node, nodes.For):
        node.iter = _filter(node, TURNS, node.iter)


def _safe(node: nodes.Node) -> nodes.Node:
    rewritten(node)
    match node:
        case nodes.Call(node=nodes.Getattr(node=value, attr=method)):
            return _filter(node, METHOD + method, value, node.args, node.kwargs)
        case nodes.Call(node=nodes.Name(name=function)):
            return _filter(node, METHOD + function, nodes.Const(None), node.args, node.kwargs)
        case nodes.Concat():
            return _filter(node, JOINED, nodes.List(node.nodes, lineno=node.lineno))
        case nodes.Mod(left=nodes.Const(value=str())):
            return _filter(node, FORMATTED, node.left, [node.right])
        case _:
            return node


def _filter(
    around: nodes.Node,
    name: str,
    value: nodes.Node,
    args: list[nodes.Expr] | None = None,
    kwargs: list[nodes.Keyword] | None = None,
) -> nodes.Filter:
    made = nodes.Filter(value, name, args or [], kwargs or [], None, None, lineno=around.lineno)
    if around.environment is not None:
        made.set_environment(around.environment)
    return made
