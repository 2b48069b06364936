"""The environment of templates: Jinja2's immutable sandbox, with lists of what is allowed.

The syntax tree may contain listed nodes, filters, tests and methods only (`syntax`), and no format
but one that is written out. At run time Jinja2's sandbox keeps Python's own attributes away, and
nothing can be called.

Everything is bounded: the source, the turns of a loop, the size of each number and each text that
is made, the work of all filters and methods, and the result. So no template takes longer than
moments, whatever the message; what goes too far is a `TemplateError`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial

from jinja2 import TemplateError as JinjaError
from jinja2.environment import Template as JinjaTemplate
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import ChainableUndefined, Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..text.shortened import shortened
from .errors import TemplateError
from .filters import FILTERS, METHODS, TESTS, call, formatted
from .syntax import FORMATTED, JOINED, METHOD, RANGE, TURNS, fields, make_safe
from .values import LONGEST, TooMuch, calculate, to_text

__all__ = ["compiled", "rendered"]

LONGEST_SOURCE = 10_000
"""Characters of a template."""

MOST_TURNS = 100
"""Turns of one loop."""

MOST_WORK = 2_000_000
"""Characters that all filters, calls and operators of one rendering may touch."""

WORK_PER_ITEM = 10
"""Characters that an item of a list or mapping counts for."""

_TOO_DEEP = (RecursionError, MemoryError, SyntaxError)

_LONGEST_SAID = 600
"""Characters of what is said of a failure, for Python's words quote the values of a message."""


def compiled(source: str) -> tuple[JinjaTemplate, frozenset[str], frozenset[tuple[str, str]]]:
    """The template, its names and what it reads of them; raises `TemplateError`."""
    if len(source) > LONGEST_SOURCE:
        raise TemplateError(
            f"the template has {len(source):,} characters; allowed are {LONGEST_SOURCE:,}"
        )
    environment = _environment()
    environment.left = MOST_WORK
    try:
        tree = environment.parse(source)
        make_safe(tree)
        tree.set_environment(environment)
        names = frozenset(find_undeclared_variables(tree))
        return environment.from_string(tree), names, fields(tree)
    except TemplateError:
        raise
    except (JinjaError, ValueError, ArithmeticError, *_TOO_DEEP) as error:
        raise TemplateError(_said(error, getattr(error, "lineno", None))) from None


def rendered(template: JinjaTemplate, values: Mapping[str, object]) -> str:
    """See `template.Template.render`."""
    _environment().left = MOST_WORK
    try:
        return _together(template.root_render_func(template.new_context(dict(values))))
    except Exception as error:  # noqa: BLE001 - no value of a message may end more than its template
        raise TemplateError(_said(error, _line_of(error, template))) from None


def _line_of(error: BaseException, template: JinjaTemplate) -> int | None:
    line, trace = None, error.__traceback__
    while trace is not None:
        if "__jinja_template__" in trace.tb_frame.f_globals:
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _said(error: BaseException, line: int | None) -> str:
    if isinstance(error, _TOO_DEEP):
        return "the template is nested too deeply; make it simpler"
    text = shortened(str(error).strip() or type(error).__name__, _LONGEST_SAID)
    if text.startswith("unexpected end of template"):
        text = "unexpected end of template: {{ … }} or {% … %} is not closed"
    return text if line is None else f"{text}, line {line}"


class _Missing(ChainableUndefined):
    """A value that is not there: empty as text, and named where it is needed as a number."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return f"there is no {self._undefined_name!r} here"


class _Sandbox(ImmutableSandboxedEnvironment):
    """The environment of all templates; it renders one at a time, which has `left` to work."""

    intercepted_binops = frozenset(("//", "%", "+", "*", "-", "/", "**"))

    def __init__(self) -> None:
        super().__init__(
            undefined=_Missing, finalize=self._finalize, keep_trailing_newline=True, cache_size=0
        )
        functions = FILTERS | {METHOD + name: partial(call, name) for name in METHODS}
        functions |= {RANGE: _range, FORMATTED: formatted}
        self.globals = {}
        self.filters = {name: self._measured(function) for name, function in functions.items()}
        self.filters |= {TURNS: _turns, JOINED: self._joined}
        self.tests = dict(TESTS)
        self.left = MOST_WORK

    def _spend(self, *values: object) -> None:
        for value in values:
            if isinstance(value, str):
                self.left -= len(value)
            elif isinstance(value, list | tuple | Mapping):
                self.left -= len(value) * WORK_PER_ITEM
        self.left -= 1
        if self.left < 0:
            raise TooMuch("the template does too much work for one message")

    def getattr(self, obj: object, attribute: str) -> object:
        """An item of a mapping, or a value's own datum; no method."""
        if isinstance(obj, Mapping | Undefined):
            return self.getitem(obj, attribute)
        return self._datum(obj, attribute, super().getattr(obj, attribute))

    def getitem(self, obj: object, argument: object) -> object:
        """An item of a mapping, a list or a text, or a slice."""
        if isinstance(obj, Undefined):
            return obj
        self._spend()
        return self._datum(obj, argument, super().getitem(obj, argument))

    def _datum(self, obj: object, name: object, found: object) -> object:
        return self.undefined(obj=obj, name=str(name)) if callable(found) else found

    def call_binop(self, _: Context, operator: str, left: object, right: object) -> object:
        """Arithmetic, bounded."""
        return self._measured(calculate)(operator, left, right)

    def _measured(self, function: Callable[..., object]) -> Callable[..., object]:
        def measured(*args: object, **kwargs: object) -> object:
            self._spend(*args, *kwargs.values())
            value = function(*args, **kwargs)
            self._spend(value)
            return value

        return measured

    def _joined(self, parts: Iterable[object]) -> str:
        return _together(map(self._finalize, parts))

    def _finalize(self, value: object) -> str:
        text = to_text(value)
        self._spend(text)
        return text


_environment = cache(_Sandbox)


def _together(pieces: Iterable[str]) -> str:
    length, all_of_them = 0, []
    for piece in pieces:
        length += len(piece)
        if length > LONGEST:
            raise TooMuch(f"a text gets longer than {LONGEST:,} characters")
        all_of_them.append(piece)
    return "".join(all_of_them)


def _turns(values: Iterable[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        if len(found) == MOST_TURNS:
            raise TooMuch(f"a loop may have {MOST_TURNS} turns; take a slice: [:{MOST_TURNS}]")
        found.append(value)
    return found


def _range(_: object, *bounds: int) -> list[object]:
    return _turns(range(*bounds))
