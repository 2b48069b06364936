"""The syntax tree of a template, against lists of what is allowed, and made safe to run."""

from collections.abc import Collection, Sequence

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from ..text.nearest import did_you_mean
from .errors import TemplateError
from .filters import FILTERS, METHODS, TESTS, fault_of_format

__all__ = ["FORMATTED", "JOINED", "METHOD", "RANGE", "TURNS", "fields", "make_safe"]

METHOD, RANGE, TURNS, JOINED, FORMATTED = "method ", "range", "turns", "joined", "formatted"
"""Filters that are none of `FILTERS`, so that nobody can write them: before the name of a method,
for ``range``, around what a loop runs over, around ``~``, and for ``%`` after a text.
"""

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.If, nodes.For, nodes.Assign),
    *(nodes.Expr, nodes.Pair, nodes.Keyword, nodes.Operand),
)
_CONSTANTS = (nodes.Literal, nodes.Pair, nodes.Neg)
_WORDS = {"AssignBlock": "set … endset", "CallBlock": "call", "FilterBlock": "filter"}
_WORDS |= {"FromImport": "from", "Scope": "autoescape"}


def make_safe(tree: nodes.Template) -> None:
    """Refuse what is not listed, and turn calls, loops, ``~`` and formats into filters.

    Those are bounded, and nothing is left to be called: a method is looked up by the name that
    stands in the template. Raises `TemplateError`.
    """
    _Safe().visit(tree)


class _Safe(NodeTransformer):
    def visit(self, node: nodes.Node, *_: object, **__: object) -> nodes.Node:
        fault = _fault(node) or _fault_of_call(node)
        if fault is not None:
            raise TemplateError(f"{fault}, line {node.lineno}")
        self.generic_visit(node)
        match node:
            case nodes.For():
                node.iter = _filter(TURNS, node.iter)
            case nodes.Call(node=nodes.Getattr(node=value, attr=method)):
                return _filter(METHOD + method, value, node.args, node.kwargs)
            case nodes.Call():
                return _filter(RANGE, nodes.Const(None, lineno=node.lineno), node.args, node.kwargs)
            case nodes.Concat():
                return _filter(JOINED, nodes.List(node.nodes, lineno=node.lineno))
            case nodes.Mod(left=nodes.Const(value=str())):
                return _filter(FORMATTED, node.left, [node.right])
        return node


def _filter(
    name: str, value: nodes.Node, given: Sequence[nodes.Node] = (), named: object = ()
) -> nodes.Filter:
    return nodes.Filter(value, name, given, named, None, None, lineno=value.lineno)


def _fault(node: nodes.Node) -> str | None:
    match node:
        case nodes.For(recursive=True):
            return "{% for %} cannot be recursive"
        case nodes.For() if node.find(nodes.For) is not None:
            return "{% for %} cannot stand inside another {% for %}"
        case nodes.Assign(target=target) if not isinstance(target, nodes.Name):
            return "{% set %} takes one name"
        case nodes.Name(name="self" | "super" | "caller" as name):
            return f"the name {name!r} is not available in templates"
        case nodes.Name(name=name) | nodes.Getattr(attr=name) if name.startswith("_"):
            return f"{name!r} is not available in templates"
        case nodes.List() | nodes.Dict() | nodes.Tuple(ctx="load"):
            if not all(isinstance(each, _CONSTANTS) for each in node.find_all(nodes.Node)):
                return "a list or mapping that is written out can hold constants only"
    if isinstance(node, _ALLOWED):
        return None
    kind = type(node).__name__
    return f"{{% {_WORDS.get(kind, kind.lower())} %}} is not available in templates"


def _fault_of_call(node: nodes.Node) -> str | None:
    if getattr(node, "dyn_args", None) or getattr(node, "dyn_kwargs", None):
        return "arguments with * are not available in templates"
    match node:
        case (
            nodes.Filter(name="format", node=form)
            | nodes.Mod(left=nodes.Const(value=str()) as form)
        ):
            return _fault_of_formats([form], of_time=False)
        case nodes.Filter(name=name):
            return _not_among(FILTERS, "filter", name)
        case nodes.Test(name=name):
            return _not_among(TESTS, "test", name)
        case nodes.Call(node=nodes.Getattr(attr="strftime"), args=given, kwargs=named):
            return _fault_of_formats([*given, *(each.value for each in named)], of_time=True)
        case nodes.Call(node=nodes.Getattr(attr=name)):
            return _not_among(METHODS, "method", name)
        case nodes.Call(node=nodes.Name(name=name)):
            return _not_among({RANGE}, "function", name)
        case nodes.Call():
            return "only methods of values can be called"
    return None


def _not_among(known: Collection[str], kind: str, name: str) -> str | None:
    if name in known:
        return None
    all_of_them = f"there are: {', '.join(sorted(known))}"
    return f"there is no {kind} {name!r}; {did_you_mean(name, known, all_of_them)}"


def _fault_of_formats(forms: Sequence[nodes.Node | None], *, of_time: bool) -> str | None:
    for form in forms:
        if not isinstance(form, nodes.Const) or not isinstance(form.value, str):
            return "a format is written out, such as '%02d'"  # else a message may have written it
        if (fault := fault_of_format(form.value, of_time=of_time)) is not None:
            return fault
    return None


def fields(tree: nodes.Template) -> frozenset[tuple[str, str]]:
    """The names of a safe template with what is read of them, such as ``room.name``.

    Where a template gives a name a value of its own, nothing is known about it.
    """
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    found: set[tuple[str, str]] = set()
    for node in tree.find_all(nodes.Expr):
        match node:
            case (
                nodes.Getattr(node=nodes.Name(name=name), attr=field)
                | nodes.Getitem(node=nodes.Name(name=name), arg=nodes.Const(value=str(field)))
            ) if name not in own:
                found.add((name, field))
    return frozenset(found)
