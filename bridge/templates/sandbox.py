"""The environment of templates: Jinja2's immutable sandbox, with lists of what is allowed.

Two walls, each of which would do. The syntax tree may contain listed nodes, filters, tests and
methods only, no name or attribute that begins with an underscore, and no format but one that is
written out. At run time an attribute is an item of a mapping, a field of a dataclass or a listed
property, never Python's own, and nothing can be called.

Everything is bounded: the source, the turns of a loop, the size of each number and each text that
is made, the work of all filters and methods, and the result. So no template takes longer than
moments, whatever the message; what goes too far is a `TemplateError`.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateSyntaxError
from jinja2.environment import Template as JinjaTemplate
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import ChainableUndefined, Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..text.shortened import shortened
from .errors import TemplateError
from .filters import FILTERS, TESTS
from .methods import METHODS, fields_of, formatted
from .syntax import (
    FORMATTED,
    FUNCTIONS,
    JOINED,
    METHOD,
    TURNS,
    check,
    fields,
    rewritten,
)
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

_LONGEST_SAID = 600
"""Characters of what is said of a failure, for Python's words quote the values of a message."""


def rendered(template: JinjaTemplate, values: Mapping[str, object]) -> str:
    """See `template.Template.render`."""
    environment = _environment()
    environment.begin()
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


def compiled(source: str) -> tuple[JinjaTemplate, frozenset[str], frozenset[tuple[str, str]]]:
    """The template, its names and what it reads of them; raises `TemplateError`."""
    if len(source) > LONGEST_SOURCE:
        raise TemplateError(
            f"the template has {len(source):,} characters; allowed are {LONGEST_SOURCE:,}"
        )
    environment = _environment()
    environment.begin()
    try:
        tree = environment.parse(source)
        check(tree)
        names = frozenset(find_undeclared_variables(tree) - FUNCTIONS)
        read = fields(tree)
        rewritten(tree)
        return environment.from_string(tree), names, read
    except TemplateError:
        raise
    except TemplateSyntaxError as error:
        raise TemplateError(_said(error, error.lineno)) from None
    except (RecursionError, MemoryError, SyntaxError):
        raise TemplateError("the template is nested too deeply; make it simpler") from None
    except (JinjaError, ValueError, ArithmeticError) as error:
        raise TemplateError(_said(error, None)) from None


class _Missing(ChainableUndefined):
    """A value that is not there: empty as text, and named where it is needed as a number."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return f"there is no {self._undefined_name!r} here"


class _Sandbox(ImmutableSandboxedEnvironment):
    """The environment of all templates; it renders one at a time."""

    intercepted_binops = frozenset(("//", "%", "+", "*", "-", "/", "**"))

    def __init__(self) -> None:
        super().__init__(
            undefined=_Missing,
            finalize=self._finalize,
            keep_trailing_newline=True,
            cache_size=0,
        )
        functions = FILTERS | {METHOD + name: method for name, method in METHODS.items()}
        functions |= {METHOD + "range": _range, FORMATTED: formatted}
        self.globals = {}
        self.filters = {name: self._measured(function) for name, function in functions.items()}
        self.filters |= {TURNS: _turns, JOINED: self._joined}
        self.tests = dict(TESTS)
        self._left = MOST_WORK

    def begin(self) -> None:
        """A rendering begins."""
        self._left = MOST_WORK

    def spend(self, *values: object) -> None:
        """Count the work on these values; raises `TooMuch`."""
        for value in values:
            if isinstance(value, str):
                self._left -= len(value)
            elif isinstance(value, list | tuple | Mapping):
                self._left -= len(value) * WORK_PER_ITEM
        self._left -= 1
        if self._left < 0:
            raise TooMuch("the template does too much work for one message")

    def getattr(self, obj: object, attribute: str) -> object:
        """An item, a field or a listed property; nothing of Python's own."""
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if attribute in fields_of(obj):
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """An item of a mapping, a list or a text, or a slice."""
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, Mapping | list | tuple | str):
            self.spend()
            with contextlib.suppress(TypeError, LookupError, ValueError):
                return obj[argument]  # type: ignore[index, call-overload]
        return self.undefined(obj=obj, name=str(argument))

    def call_binop(
        self,
        context: Context,  # noqa: ARG002 - Jinja2's interface
        operator: str,
        left: object,
        right: object,
    ) -> object:
        """Arithmetic, bounded."""
        return self._measured(calculate)(operator, left, right)

    def _measured(self, function: Callable[..., object]) -> Callable[..., object]:
        def measured(*args: object, **kwargs: object) -> object:
            self.spend(*args, *kwargs.values())
            value = function(*args, **kwargs)
            self.spend(value)
            return value

        return measured

    def _joined(self, parts: Iterable[object]) -> str:
        return _together(map(self._finalize, parts))

    def _finalize(self, value: object) -> str:
        text = to_text(value)
        self.spend(text)
        return text


@cache
def _environment() -> _Sandbox:
    return _Sandbox()


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


def _range(_: None, *bounds: int) -> list[int]:
    numbers = range(*bounds)
    if len(numbers) > MOST_TURNS:
        raise TooMuch(f"a range may have {MOST_TURNS} numbers")
    return list(numbers)


def _said(error: BaseException, line: int | None) -> str:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, RecursionError | MemoryError):
        text = "the template goes too deep"
    text = shortened(text, _LONGEST_SAID)
    return text if line is None else f"{text}, line {line}"
