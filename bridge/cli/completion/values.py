"""That which completes the value of an argument, and words as shells want them. Pure."""

import shlex
from collections.abc import Iterable
from enum import Enum, auto
from string import Template

from ..description import Argument

__all__ = ["LISTS", "Kind", "is_unfinished", "kind_of", "names_program", "quoted"]


class Kind(Enum):
    """The kind of an argument's value."""

    FILE = auto()
    #: something that the configuration names
    NAME = auto()
    #: one of the words that are known
    WORD = auto()
    ANYTHING = auto()


LISTS = {"ROOM": "rooms", "SERVER": "servers", "TOPIC": "topics"}
"""The word that stands for a value in the help, and the list of names that it is one of."""

_PROGRAM = Template(r"""
function name(line) { sub(/^[^.]*[.]/, "", line); sub(/[^a-z0-9_-].*/, "", line); return line }
function text(line) { sub(/^[^"]*"/, "", line); sub(/".*/, "", line); return line }
function offer(topic) { if (topic ~ "^[A-Za-z0-9_./-]+$$") print topic }
function each(path, key, names,   found, topic) {
  for (found in names) { topic = path; sub("[{]" key "[}]", found, topic); offer(base "/" topic) }
}
BEGIN { base = "hmp"; count = split("${paths}", paths, " ") }
/^[ \t]*#/ { next }
/^[ \t]*\[[ \t]*rooms[.]/ { rooms[name($$0)] }
/^[ \t]*\[[ \t]*servers[.]/ { servers[name($$0)] }
match($$0, /base_topic[ \t]*=[ \t]*"[^"]*"/) { base = text(substr($$0, RSTART, RLENGTH)) }
match($$0, /(^|[{, \t])topic[ \t]*=[ \t]*"[^"]*"/) { bound[text(substr($$0, RSTART, RLENGTH))] }
END {
  if (list == "rooms") for (found in rooms) print found
  if (list == "servers") for (found in servers) print found
  if (list != "topics") exit
  for (found in bound) offer(found)
  for (place = 1; place <= count; place++) {
    if (paths[place] ~ /[{]room[}]/) each(paths[place], "room", rooms)
    else if (paths[place] ~ /[{]server[}]/) each(paths[place], "server", servers)
    else offer(base "/" paths[place])
  }
}
""")


def names_program(paths: Iterable[str]) -> str:
    """An ``awk`` program that prints one of `LISTS`, its variable ``list``, off a configuration.

    `paths` are topics below the base, with ``{room}`` and ``{server}``. Of topics it prints those
    that no shell takes for something else. It can stand in single quotes in every shell.
    """
    return _PROGRAM.substitute(paths=" ".join(paths)).strip()


def kind_of(argument: Argument) -> Kind:
    """The words to offer for its value."""
    if argument.words:
        return Kind.WORD
    if argument.value in LISTS:
        return Kind.NAME
    return Kind.FILE if argument.value == "FILE" else Kind.ANYTHING


def quoted(words: Iterable[str]) -> str:
    """The words as one, with a space between each two."""
    return shlex.quote(" ".join(words))


def is_unfinished(words: Iterable[str]) -> bool:
    """True if something is to be typed behind each of the words, such as ``mqtt.host=``."""
    return all(word.endswith("=") for word in words)
