"""What a template may do: Jinja2 reduced to lists of what is allowed.

Three walls, each of which would do. The syntax tree may contain listed nodes only, no name or
attribute that begins with an underscore, and calls of listed methods only. At run time an attribute
is an item of a mapping, a field of a dataclass or a listed property, never Python's own; nothing
can be called but what this module made. And all of it is Jinja2's immutable sandbox.

Everything is bounded: the source, the turns of a loop, the size of each number and each text that
is made, the work of all filters, and the result. So no template takes longer than moments, whatever
the message; what goes too far is a `TemplateError`.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateSyntaxError
from jinja2.environment import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import ChainableUndefined, Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .errors import TemplateError
from .filters import FILTERS, TESTS
from .operations import (
    LONGEST,
    METHODS,
    TooMuch,
    calculate,
    fields_of,
    in_words,
    methods_of,
    to_text,
)
from .syntax import FUNCTIONS, JOINED, TURNS, bound, check

__all__ = ["Compiled", "compile_template"]

LONGEST_SOURCE = 10_000
"""Characters of a template."""

MOST_TURNS = 100
"""Turns of one loop."""

MOST_WORK = 2_000_000
"""Characters that all filters, calls and operators of one rendering may touch."""

WORK_PER_ITEM = 10
"""What an item of a list or mapping counts for, in characters."""

_FAILURES = (
    JinjaError,
    NameError,
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    OSError,
    RecursionError,
    MemoryError,
)
"""What a template can raise when its values are not what it was written for."""

_LOOP = frozenset({"index", "index0", "revindex", "first", "last", "length"})


class Compiled:
    """A compiled template and the names that it uses."""

    __slots__ = ("_template", "names")

    def __init__(self, template: JinjaTemplate, names: frozenset[str]) -> None:
        self._template = template
        self.names = names

    def render(self, values: Mapping[str, object]) -> str:
        """See `template.Template.render`."""
        environment = _environment()
        environment.begin()
        try:
            context = self._template.new_context(dict(values))
            length, pieces = 0, []
            for piece in self._template.root_render_func(context):
                length += len(piece)
                if length > LONGEST:
                    raise TooMuch(f"the result is longer than {LONGEST:,} characters")
                pieces.append(piece)
        except _FAILURES as error:
            raise TemplateError(_said(error, self._line_of(error))) from None
        return "".join(pieces)

    def _line_of(self, error: BaseException) -> int | None:
        line, trace = None, error.__traceback__
        while trace is not None:
            if "__jinja_template__" in trace.tb_frame.f_globals:
                line = self._template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
        return line


def compile_template(source: str) -> Compiled:
    """Compile and check; raises `TemplateError`."""
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
        bound(tree)
        return Compiled(environment.from_string(tree), names)
    except TemplateError:
        raise
    except TemplateSyntaxError as error:
        raise TemplateError(_said(error, error.lineno)) from None
    except (RecursionError, MemoryError, SyntaxError):
        raise TemplateError("the template is nested too deeply; make it simpler") from None
    except (JinjaError, ValueError, ArithmeticError) as error:
        raise TemplateError(_said(error, None)) from None


class _Missing(ChainableUndefined):
    """What is not there: empty as text, and said by its name where it is needed as a number."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return f"there is no {self._undefined_name!r} here"


class _Function(ChainableUndefined):
    """What may be called. As a value it is as empty as anything that is not there."""

    __slots__ = ("function",)
    function: Callable[..., object]


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
        self.globals = {"range": self._function(_range)}
        self.filters = {name: self._measured(function) for name, function in FILTERS.items()}
        self.filters |= {TURNS: _turns, JOINED: self._joined}
        self.tests = {name: self.tests[name] for name in TESTS}
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
        """An item, a field, a listed property or a listed method; nothing of Python's own."""
        if isinstance(obj, Undefined):
            return obj
        if attribute.startswith("_"):
            raise SecurityError(f"{attribute!r} is not available in templates")
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext):
            readable = attribute in _LOOP
            return getattr(obj, attribute) if readable else self.undefined(name=attribute)
        fields = fields_of(obj)
        if attribute in fields:
            return fields[attribute]()
        methods = methods_of(obj)
        if attribute in methods:
            return self._function(lambda *given, **named: methods[attribute](obj, *given, **named))
        if attribute in METHODS and not isinstance(obj, Mapping):
            return self._function(_without(obj, attribute))
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

    def call(
        __self,  # noqa: N805 - as in Jinja2, so that no keyword of a call collides
        __context: Context,  # noqa: PYI063
        __obj: object,
        *args: object,
        **kwargs: object,
    ) -> object:
        """Call one of our own functions; what is not there gives nothing."""
        for beside in ("_loop_vars", "_block_vars"):  # Jinja2's own, within loops
            kwargs.pop(beside, None)
        if isinstance(__obj, _Function):
            __self.spend(*args, *kwargs.values())
            return __self._checked(__obj.function(*args, **kwargs))
        if isinstance(__obj, Undefined):
            return __obj
        raise SecurityError(f"{in_words(__obj)} cannot be called")

    def call_binop(
        self,
        context: Context,  # noqa: ARG002 - Jinja2's interface
        operator: str,
        left: object,
        right: object,
    ) -> object:
        """Arithmetic, bounded."""
        self.spend(left, right)
        return self._checked(calculate(operator, left, right))

    def _function(self, function: Callable[..., object]) -> _Function:
        made = _Function()
        made.function = function
        return made

    def _measured(self, function: Callable[..., object]) -> Callable[..., object]:
        def measured(*args: object, **kwargs: object) -> object:
            self.spend(*args, *kwargs.values())
            return self._checked(function(*args, **kwargs))

        return measured

    def _checked(self, value: object) -> object:
        self.spend(value)
        return value

    def _joined(self, parts: Iterable[object]) -> str:
        texts = [self._finalize(part) for part in parts]
        if sum(map(len, texts)) > LONGEST:
            raise TooMuch(f"a text gets longer than {LONGEST:,} characters")
        return "".join(texts)

    def _finalize(self, value: object) -> str:
        text = to_text(value)
        self.spend(text)
        return text


@cache
def _environment() -> _Sandbox:
    return _Sandbox()


def _turns(values: Iterable[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        if len(found) == MOST_TURNS:
            raise TooMuch(f"a loop may have {MOST_TURNS} turns; take a slice: [:{MOST_TURNS}]")
        found.append(value)
    return found


def _range(*bounds: int) -> list[int]:
    numbers = range(*bounds)
    if len(numbers) > MOST_TURNS:
        raise TooMuch(f"a range may have {MOST_TURNS} numbers")
    return list(numbers)


def _without(obj: object, method: str) -> Callable[..., object]:
    def refuse(*_: object, **__: object) -> object:
        raise SecurityError(f"{in_words(obj)} has no {method}()")

    return refuse


def _said(error: BaseException, line: int | None) -> str:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, RecursionError | MemoryError):
        text = "the template goes too deep"
    return text if line is None else f"{text}, line {line}"
