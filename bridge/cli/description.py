"""The command line as data: for completion, and whatever else is made of it.

It is read off the parser (`parser.describe`), so nothing that is made of it can drift. Pure.
"""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Argument", "Description", "Section"]


class Section(NamedTuple):
    """A part of the help below the options: terms, and the meaning of each."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Argument:
    """An option, or, without `names`, a positional argument."""

    names: tuple[str, ...]
    #: what stands for its value in the help, ``FILE`` say; empty for an option without one
    value: str
    summary: str
    #: values that are known; empty where there is no saying
    words: tuple[str, ...]
    required: bool
    #: it may be given several times, or takes all the words that are left
    repeats: bool


@dataclass(frozen=True, slots=True)
class Description:
    """A command: what is typed, what it does, what it takes."""

    #: all words up to here, such as ``hmp-bridge send``
    name: str
    summary: str
    usage: str
    arguments: tuple[Argument, ...]
    commands: tuple["Description", ...]
    sections: tuple[Section, ...]

    @property
    def word(self) -> str:
        """The last word of its name."""
        return self.name.rpartition(" ")[2]

    @property
    def options(self) -> tuple[Argument, ...]:
        """The arguments that have a name."""
        return tuple(each for each in self.arguments if each.names)

    @property
    def positionals(self) -> tuple[Argument, ...]:
        """The arguments that are told by their place."""
        return tuple(each for each in self.arguments if not each.names)
