"""Things that go wrong on purpose: what, on which command, how often, how long.

A fault is written ``KIND[:COMMAND[:VALUE]][:count=N][:seconds=S]``. COMMAND is one of the 21 or
``*`` (default: every command), VALUE is what the kind takes, ``count`` limits how many times it
happens and ``seconds`` how long it stays armed; with neither it stays until it is cleared.

.. code-block:: text

    delay:startRecording:2.5                 startRecording takes 2.5 s
    lose_reply:startRecording:count=1        the next one is carried out and never answered
    error:*:070000:seconds=60                HMP is not ready for a minute
    split:*:1                                answers arrive byte by byte
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from ..text.nearest import did_you_mean
from .messages import GENERAL_MESSAGES, MESSAGES, Row

__all__ = ["FAULT_KINDS", "Fault", "FaultError", "Faults", "row_of_code"]


class FaultError(ValueError):
    """A fault that cannot be read; the message says what would be accepted."""


class _Kind(NamedTuple):
    """The effect of a kind, and its value: a number, an error code, a word, or none."""

    meaning: str
    takes: str = ""
    default: str = ""


FAULT_KINDS: Mapping[str, _Kind] = {
    "delay": _Kind("works for VALUE seconds, then executes and answers", "seconds", "1"),
    "slow_reply": _Kind("executes at once, answers VALUE seconds later", "seconds", "1"),
    "close_on_connect": _Kind("accepts the connection and closes it (COMMAND is ignored)"),
    "close_before": _Kind("reads the command, closes without executing it"),
    "lose_reply": _Kind("executes the command, closes without answering"),
    "half_open": _Kind(
        "executes the command or not, then neither answers nor closes", "word", "ignored"
    ),
    "split": _Kind("sends the answer VALUE bytes at a time", "bytes", "1"),
    "merge": _Kind(
        "holds answers up to VALUE s for the next, sends them together", "seconds", "0.05"
    ),
    "crlf": _Kind("ends the answer with CR LF"),
    "partial": _Kind("sends the first VALUE bytes of the answer, then closes", "bytes", "3"),
    "garbage": _Kind("executes the command, answers VALUE", "text", "HTTP/1.1 400 Bad Request"),
    "error": _Kind("answers the error code VALUE without executing the command", "code", "070000"),
    "disk_full": _Kind("startRecording answers 070027"),
    "write_error": _Kind("startRecording answers 0700014"),
    "recording_error": _Kind("a started recording turns ERROR after VALUE seconds", "seconds", "0"),
    "not_authorized": _Kind("answers 020000 without executing the command, and closes"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `value` is text, checked against its kind; `number` reads it where it is one.

    Raises `FaultError` for what the simulator could not carry out.
    """

    kind: str
    command: str = "*"
    value: str = ""
    count: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        kind = FAULT_KINDS.get(self.kind)
        if kind is None:
            hint = did_you_mean(self.kind, FAULT_KINDS, f"kinds are {', '.join(FAULT_KINDS)}")
            raise FaultError(f"no fault {self.kind!r}; {hint}")
        if self.command != "*" and self.command not in MESSAGES:
            otherwise = f"commands are * (all), {', '.join(MESSAGES)}"
            hint = did_you_mean(self.command, MESSAGES, otherwise)
            raise FaultError(f"fault {self.kind}: no command {self.command!r}; {hint}")
        if self.count is not None and self.count < 1:
            raise FaultError(f"fault {self.kind}: count must be 1 or more, not {self.count}")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise FaultError(f"fault {self.kind}: seconds must be above 0, not {self.seconds:g}")
        if self.value and not kind.takes:
            raise FaultError(f"fault {self.kind} takes no value, got {self.value!r}")
        object.__setattr__(self, "value", self.value or kind.default)
        self._check_value(kind.takes)

    def _check_value(self, takes: str) -> None:
        if takes == "seconds" and not 0 <= self.number < math.inf:
            raise FaultError(f"fault {self.kind}: {self.value!r} is not a number of seconds")
        if takes == "bytes" and not (self.number >= 1 and self.number.is_integer()):
            raise FaultError(
                f"fault {self.kind}: {self.value!r} is not a number of bytes (1 or more)"
            )
        if takes == "word" and self.value not in ("ignored", "executed"):
            raise FaultError(f"fault {self.kind}: {self.value!r} is not ignored or executed")
        if takes == "text" and "\n" in self.value:
            raise FaultError(f"fault {self.kind}: the text must be one line")
        if takes == "code":
            row_of_code(self.value, self.command)

    @property
    def number(self) -> float:
        """The value as a number; NaN where it is none."""
        try:
            return float(self.value)
        except ValueError:
            return math.nan

    @classmethod
    def from_text(cls, text: str) -> "Fault":
        """Read the written form. Raises `FaultError`."""
        options: dict[str, float] = {}
        words: list[str] = []
        for word in text.split(":"):
            name, equals, number = word.partition("=")
            if not (equals and name in ("count", "seconds")):
                words.append(word)
                continue
            try:
                options[name] = int(number) if name == "count" else float(number)
            except ValueError:
                raise FaultError(f"fault {text!r}: {word!r} needs a number") from None
        if len(words) > 3:
            raise FaultError(
                f"fault {text!r}: {words[3]!r} is too much; "
                "the form is KIND[:COMMAND[:VALUE]][:count=N][:seconds=S]"
            )
        return cls(*words, **options)  # type: ignore[arg-type]  # each name has its own number type

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Fault":
        """Read the JSON form, whose keys are the fields. Raises `FaultError`."""
        names = [each.name for each in fields(cls)]
        unknown = sorted(set(mapping) - set(names))
        if unknown or "kind" not in mapping:
            wrong = f"unknown {', '.join(unknown)}" if unknown else "kind is missing"
            raise FaultError(f"fault: {wrong}; keys are {', '.join(names)}")
        count, seconds = mapping.get("count"), mapping.get("seconds")
        if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
            raise FaultError(f"fault: count needs a whole number, not {count!r}")
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, (int, float))
        ):
            raise FaultError(f"fault: seconds needs a number, not {seconds!r}")
        return cls(
            str(mapping["kind"]),
            str(mapping.get("command", "*")),
            str(mapping.get("value", "")),
            count,
            seconds,
        )

    def __str__(self) -> str:
        words = [self.kind, self.command, *([self.value] if self.value else [])]
        if self.count is not None:
            words.append(f"count={self.count}")
        if self.seconds is not None:
            words.append(f"seconds={self.seconds:g}")
        return ":".join(words)


def row_of_code(code: str, command: str) -> Row:
    """The error row that a code stands for: the command's own first, then general, then any.

    Raises `FaultError` for a code that the guide does not have.
    """
    of_all = [row for rows in MESSAGES.values() for row in rows]
    rows = (*MESSAGES.get(command, ()), *GENERAL_MESSAGES, *of_all)
    for row in rows:
        if code == row.code or (code == "070014" and row.code == "0700014"):
            return Row(code, row.message)
    codes = sorted({row.code for row in rows})
    raise FaultError(f"fault error: no code {code!r}; the guide has {', '.join(codes)}")


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int | None
    until: float | None


class Faults:
    """The faults that are armed, oldest first. False when there are none, which is cheap to ask."""

    __slots__ = ("_armed", "_now")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._armed: list[_Armed] = []

    def __bool__(self) -> bool:
        return bool(self._armed)

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        until = None if fault.seconds is None else self._now() + fault.seconds
        self._armed.append(_Armed(fault, fault.count, until))

    def clear(self, kind: str | None = None) -> int:
        """Disarm all, or all of one kind; how many there were."""
        kept = [armed for armed in self._armed if kind is not None and armed.fault.kind != kind]
        cleared = len(self._armed) - len(kept)
        self._armed = kept
        return cleared

    def take(self, kind: str, command: str) -> Fault | None:
        """The oldest armed fault of this kind for this command, counted as having happened."""
        self._expire()
        for armed in self._armed:
            fault = armed.fault
            if fault.kind == kind and fault.command in ("*", command):
                if armed.left is not None:
                    armed.left -= 1
                    if armed.left == 0:
                        self._armed.remove(armed)
                return fault
        return None

    def listing(self) -> list[str]:
        """The armed faults in written form, with what is left of count and seconds."""
        self._expire()
        now = self._now()
        return [
            str(
                Fault(
                    armed.fault.kind,
                    armed.fault.command,
                    armed.fault.value,
                    armed.left,
                    None if armed.until is None else round(armed.until - now, 3),
                )
            )
            for armed in self._armed
        ]

    def _expire(self) -> None:
        now = self._now()
        # A new list only when something ended: `take` runs several times for every command.
        if any(armed.until is not None and armed.until <= now for armed in self._armed):
            self._armed = [
                armed for armed in self._armed if armed.until is None or armed.until > now
            ]
