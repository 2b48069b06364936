"""The parser of commands: argparse's, with our words for mistakes, and help that has sections.

Options are never abbreviated: what is short for one of them today is short for two tomorrow.
"""

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from ..text.nearest import did_you_mean
from ..text.paths import whole_path
from .description import Argument, Description, Section

__all__ = ["Parser", "describe", "one_of", "path"]

_WIDEST_TERM = 28
"""Characters of terms whose meanings stand beside them; with a longer one, they stand below."""


class Parser(argparse.ArgumentParser):
    """A parser of one command, or of all of them.

    `summary` is its line in the list of commands. `sections` make the rest of its help; they are
    asked for only when that is to be shown. `words` are known values of its arguments, by what
    stands for the value in the help; other values are taken as well.
    """

    def __init__(
        self,
        *,
        summary: str = "",
        sections: Callable[[], Iterable[Section]] = tuple,
        words: Mapping[str, Callable[[], Iterable[str]]] = MappingProxyType({}),
        **settings: Any,
    ) -> None:
        settings.setdefault("description", f"{summary[:1].upper()}{summary[1:]}.")
        super().__init__(allow_abbrev=False, **settings)
        self.summary = summary
        self.sections = sections
        self.words = words
        self._given: tuple[str, ...] = ()

    @property
    def actions(self) -> Sequence[argparse.Action]:
        """Its options and positional arguments, in their order."""
        return self._actions  # argparse has no public name for them

    @property
    def commands(self) -> dict[str, "Parser"]:
        """The parsers of its commands, by name."""
        for action in self.actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - nor for this
                return dict(action.choices)
        return {}

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, where what it does not know is an error: here, not one level up."""
        words = sys.argv[1:] if args is None else args
        self._given = tuple(words)
        options, strange = super().parse_known_args(words, namespace)
        if strange:
            self.error(f"{' '.join(strange)}: that is more than it takes")
        return options, []

    def error(self, message: str) -> NoReturn:
        """Exit with 64 and what is wrong: a word that was mistyped, or else `message`."""
        self.print_usage(sys.stderr)
        self.exit(os.EX_USAGE, f"{self.prog}: {self._mistyped() or message}\n")

    def format_help(self) -> str:
        """The help of argparse, and the sections below it."""
        width = max(40, shutil.get_terminal_size().columns - 2)
        sections = [_rendered(section, width) for section in self.sections()]
        return "\n".join([super().format_help(), *sections])

    def _mistyped(self) -> str | None:
        """The first word that is no option or command, and which was meant; None without one."""
        options = {name: action for action in self.actions for name in action.option_strings}
        before: argparse.Action | None = None
        for word in self._given:
            name = word.partition("=")[0]
            if word == "--":
                return None
            if name in options:
                before = None if "=" in word else options[name]
            elif word.startswith("--") or (len(word) > 1 and word[0] == "-" and word[1].isalpha()):
                if before is not None and before.nargs != 0:
                    option = before.option_strings[-1]
                    return f"{option} {word}: a value that begins with - goes {option}={word}"
                return self._no_option(name, options)
            elif self.commands:
                known = self.commands
                hint = did_you_mean(word, known, f"the commands are {', '.join(known)}")
                return None if word in known else f"{word!r} is no command; {hint}"
            else:
                before = None
        return None

    def _no_option(self, name: str, options: Iterable[str]) -> str:
        for command, parser in self.commands.items():
            if any(name in action.option_strings for action in parser.actions):
                return f"{name} comes after the command, as in {self.prog} {command} {name}"
        return f"{name} is no option here; " + did_you_mean(
            name, options, f"the options are {', '.join(options)}"
        )


def _rendered(section: Section, width: int) -> str:
    widest = max((len(term) for term, _ in section.rows), default=0)
    beside = widest <= _WIDEST_TERM
    column = widest + 4 if beside else 6
    lines = [f"{section.title}:"]
    for term, meaning in section.rows:
        told = textwrap.wrap(meaning, width - column, break_on_hyphens=False)
        first = f"{term:<{widest}}  {told.pop(0)}" if beside and told else term
        lines += [f"  {first}".rstrip(), *(" " * column + line for line in told)]
    return "\n".join(lines) + "\n"


def one_of(*words: str) -> dict[str, Any]:
    """The settings of an argument that is one of `words`."""

    def read(word: str) -> str:
        if word not in words:
            hint = did_you_mean(word, words, f"write one of {', '.join(words)}")
            raise argparse.ArgumentTypeError(f"{word!r} is none of them; {hint}")
        return word

    return {"choices": words, "type": read}


def path(text: str) -> Path:
    """The path that an argument names, with ``~`` for a home folder."""
    try:
        return Path(whole_path(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def describe(parser: Parser) -> Description:
    """The description of a command, and of the commands below it."""
    return Description(
        name=parser.prog,
        summary=parser.summary,
        usage=" ".join(parser.format_usage().removeprefix("usage: ").split()),
        arguments=tuple(
            _argument(action, parser)
            for action in parser.actions
            if not isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - has no other name
        ),
        commands=tuple(describe(each) for each in parser.commands.values()),
        sections=tuple(parser.sections()),
    )


def _argument(action: argparse.Action, parser: Parser) -> Argument:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    return Argument(
        names=tuple(action.option_strings),
        value=value,
        summary=(action.help or "") % {"default": action.default},
        words=tuple(action.choices or parser.words.get(value, tuple)()),
        required=action.required,
        repeats=isinstance(action, argparse._AppendAction)  # noqa: SLF001 - has no other name
        or action.nargs == argparse.REMAINDER,
    )
