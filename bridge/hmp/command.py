"""The base of every command of HMP.

A command is a frozen dataclass whose fields are its parameters, in the guide's order. Each field's
annotation carries an `Argument`: the guide's name of the parameter and the check that turns a value
from anywhere into a typed one. The checks run when the command is made, so an invalid command
cannot exist, and whatever writes commands to a socket needs no checks of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from typing import Any, ClassVar, Generic, TypeVar, get_type_hints

from .errors import InvalidArgument, NotUnderstood

__all__ = [
    "Argument",
    "Command",
    "NoResult",
    "Parameter",
    "Repeat",
    "TimeoutClass",
    "id_in",
    "parameters",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Repeat(Enum):
    """The safety of sending a command again whose reply was lost."""

    #: Sending it twice ends where sending it once would; some refuse the repeat because the first
    #: one worked.
    SAFE = "safe"
    #: Only once `getRecordingStatus` shows that it is still wanted (E25).
    AFTER_STATUS = "after_status"
    #: It creates something that cannot be found again (E45), or its moment has passed.
    NEVER = "never"


class TimeoutClass(StrEnum):
    """The classes of time that HMP may take (E44)."""

    QUERY = "query"
    MUTATE = "mutate"
    START_STOP = "start_stop"


@dataclass(frozen=True, slots=True)
class Argument:
    """The guide's name of one parameter, and the check of its value."""

    name: str
    #: takes the value and the parameter's name; raises `InvalidArgument`
    check: Callable[[Any, str], object]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a command together with its `Argument`."""

    field: str
    argument: Argument
    #: takes all the words that are left (category values)
    many: bool


@dataclass(frozen=True, slots=True)
class Command(ABC, Generic[T_co]):
    """One line to HMP; `T_co` is what its ``OK`` carries."""

    #: exactly as the guide writes it; HMP minds the case (E34)
    name: ClassVar[str]
    repeat: ClassVar[Repeat] = Repeat.SAFE
    timeout: ClassVar[TimeoutClass] = TimeoutClass.MUTATE

    def __post_init__(self) -> None:
        """Check every argument; raises `InvalidArgument`."""
        for parameter in parameters(type(self)):
            value = getattr(self, parameter.field)
            checked = parameter.argument.check(value, parameter.argument.name)
            object.__setattr__(self, parameter.field, checked)

    def arguments(self) -> tuple[str, ...]:
        """The words that follow the name, not yet quoted."""
        words: list[str] = []
        for parameter in parameters(type(self)):
            match getattr(self, parameter.field):
                case bool(value):
                    words.append("true" if value else "false")
                case tuple(values):
                    words.extend(values)
                case value:
                    words.append(str(value))
        return tuple(words)

    @property
    def changes(self) -> bool:
        """True unless it only asks something."""
        return self.timeout is not TimeoutClass.QUERY

    @abstractmethod
    def result(self, value: str | None) -> T_co:
        """The typed value of ``OK`` (`None`) or ``OK|value``.

        Raises `NotUnderstood` where the value is not what the guide promises.
        """


@dataclass(frozen=True, slots=True)
class NoResult(Command[None]):
    """A command whose success is a plain ``OK``."""

    def result(self, value: str | None) -> None:
        """Nothing; raises `NotUnderstood` for a value that HMP sends all the same."""
        if value:
            raise NotUnderstood(self.name, f"expected a plain OK, got {value!r}")


def id_in(value: str | None, check: Callable[[object], T], command: Command[T]) -> T:
    """The ID that the ``OK`` of a command carries which makes something.

    `check` is the one that the ID has to pass as an argument. Raises `NotUnderstood`.
    """
    try:
        return check(value)
    except InvalidArgument as error:
        raise NotUnderstood(command.name, f"HMP's OK carries no ID: {error}") from None


_PARAMETERS: dict[type[Command[Any]], tuple[Parameter, ...]] = {}


def parameters(command: type[Command[Any]]) -> tuple[Parameter, ...]:
    """The command's parameters in the order of the wire."""
    if command not in _PARAMETERS:  # annotations are slow to read, and never change
        _PARAMETERS[command] = tuple(_read_parameters(command))
    return _PARAMETERS[command]


def _read_parameters(command: type[Command[Any]]) -> Iterator[Parameter]:
    hints = get_type_hints(command, include_extras=True)
    for field in fields(command):
        for item in getattr(hints[field.name], "__metadata__", ()):
            if isinstance(item, Argument):
                yield Parameter(field.name, item, many=field.name == "values")
