"""The manual page ``hmp-bridge(1)``, made from the description of the command line. Pure.

It is written in the macros of man(7).
"""

from collections.abc import Iterable, Iterator

from .description import Argument, Description, Section

__all__ = ["man_page"]


def man_page(description: Description, version: str) -> str:
    """The page about a command and the commands below it, ending with a line's end."""
    return "\n".join(_lines(description, version)) + "\n"


def _lines(description: Description, version: str) -> Iterator[str]:
    name = description.name
    yield f'.TH {_text(name.upper())} 1 "" "{_text(f"{name} {version}")}" "User Commands"'
    yield ".SH NAME"
    yield f"{_text(name)} \\- {_text(description.summary)}"
    yield ".SH SYNOPSIS"
    yield _bold(description.usage)
    yield ".SH OPTIONS"
    yield from _arguments(description.arguments)
    yield ".SH COMMANDS"
    for command in description.commands:
        yield f".SS {_text(command.name)}"
        yield _sentence(command.summary)
        yield ".PP"
        yield _bold(command.usage)
        # What is said of all commands is not said of each.
        yield from _arguments(a for a in command.arguments if a not in description.arguments)
        for section in command.sections:
            if not any(set(section.rows) <= set(other.rows) for other in description.sections):
                yield ".PP"
                yield f"{_text(section.title[:1].upper() + section.title[1:])}:"
                yield from _rows(section)
    for section in description.sections:
        if section.title != "commands":
            yield f".SH {_text(section.title.upper())}"
            yield from _rows(section)


def _arguments(arguments: Iterable[Argument]) -> Iterator[str]:
    for argument in arguments:
        value = f" {argument.value}" if argument.names and argument.value else ""
        yield ".TP"
        yield _bold(", ".join(argument.names) + value if argument.names else argument.value)
        yield _sentence(argument.summary)


def _rows(section: Section) -> Iterator[str]:
    for term, meaning in section.rows:
        yield ".TP"
        yield _bold(term)
        yield _text(meaning)


def _bold(text: str) -> str:
    """The text as it is typed: a line of its own."""
    return f".B {_text(text)}"


def _sentence(text: str) -> str:
    return _text(f"{text[:1].upper()}{text[1:]}")


def _text(text: str) -> str:
    """The text with nothing in it that means something to roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    escaped = escaped.replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha")
    escaped = escaped.replace("~", "\\(ti")
    return f"\\&{escaped}" if escaped.startswith(".") or not escaped else escaped
