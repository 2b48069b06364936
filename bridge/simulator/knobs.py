"""The differences between real HMPs, as settings of the simulated one.

The guide is silent or contradicts itself in places (the E numbers); each such place is a field of
`Knobs`, with the likelier behaviour as its default. A knob is given as text on the command line
(``--knob status_after_stop=040001``), as a TOML value in the world file's ``[knobs]``, or through
the control port, also while the simulator runs.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from ..text.nearest import did_you_mean

__all__ = ["KnobError", "Knobs", "describe_knobs"]


class KnobError(ValueError):
    """No such knob, or a value that it does not take; the message lists what is accepted."""


def _choice(default: str, *others: str, doc: str, also: str = "") -> Any:
    """One word of several; `also` is a pattern for words with a number in them."""
    accepted = " | ".join((default, *others))
    words = [word for word in (default, *others) if "<" not in word]

    def read(text: str) -> str:
        if text in words or (also and re.fullmatch(also, text)):
            return text
        raise ValueError(accepted)

    return field(default=default, metadata={"read": read, "accepted": accepted, "doc": doc})


def _switch(*, doc: str) -> Any:
    words = {"true": True, "false": False}

    def read(text: str) -> bool:
        try:
            return words[text]
        except KeyError:
            raise ValueError("true | false") from None

    return field(default=False, metadata={"read": read, "accepted": "true | false", "doc": doc})


def _number(default: float, kind: type[int | float], highest: float, *, doc: str) -> Any:
    accepted = f"0 to {highest:g}" + (" whole" if kind is int else "")

    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            raise ValueError(accepted) from None
        if 0 <= number <= highest:
            return number
        raise ValueError(accepted)

    return field(default=default, metadata={"read": read, "accepted": accepted, "doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """One HMP's way with what the guide leaves open. Times are seconds."""

    # -- recordings ---------------------------------------------------------------------------
    status_after_stop: str = _choice(
        "finished",
        "040001",
        "070003",
        "finished_for:<seconds>",
        also=r"finished_for:\d+(\.\d+)?",
        doc="what getRecordingStatus says of a stopped recording; the last one: FINISHED for so "
        "long, then 040001 (E22)",
    )
    status_of_unknown: Literal["040001", "070003"] = _choice(
        "040001", "070003", doc="what getRecordingStatus says of an id it does not know (E13, E49)"
    )
    stop_takes: float = _number(
        0.0,
        float,
        3600,
        doc="how long after stopRecording's OK the status still is what it was, and the recording "
        "cannot be re-streamed (finalising, E31)",
    )
    status_word: str = _choice(
        "guide",
        "lower",
        "<WORD>",
        also=r"[A-Z]+",
        doc="what getRecordingStatus says of a recording that has not finished: the guide's word, "
        "the same in small letters, or a word of its own such as FINALIZING (E54)",
    )
    max_recording: float = _number(
        0.0,
        float,
        1000,
        doc="HMP's own maximum recording duration, in hours from the start: what is recorded for "
        "longer is FINISHED; 0 = none (E53)",
    )
    second_start: Literal["new", "060003"] = _choice(
        "new", "060003", doc="startRecording for a session that is being recorded (E23)"
    )
    pause_when_paused: Literal["ok", "040001", "070003"] = _choice(
        "ok", "040001", "070003", doc="pause when paused, resume when recording (E25)"
    )
    write_error_code: Literal["0700014", "070014"] = _choice(
        "0700014", "070014", doc="the code of 'Error writing to file' (E8)"
    )
    restream_unfinished: Literal["040002", "ok"] = _choice(
        "040002", "ok", doc="startRestreamRecording of a recording that is still active (E31)"
    )
    # -- sessions, shares, categories ----------------------------------------------------------
    active_check: Literal["after", "before"] = _choice(
        "after",
        "before",
        doc="whether addSourceToSession and removeSourceFromSession look for an active recording "
        "(060003) after or before they look for the source (040009, 060008) (E42, R7)",
    )
    most_sources: int = _number(
        4, int, 64, doc="sources per session; one more is refused with 070010 (E29)"
    )
    directory: Literal["on", "off", "failing"] = _choice(
        "on",
        "off",
        "failing",
        doc="LDAP or Active Directory: off = no groups (040005), failing = 070008 and 070009",
    )
    numeric_values_are_not_strings: bool = _switch(
        doc="a category value typed as a bare number or boolean is refused with "
        "'Values must be strings' (E39)"
    )
    # -- the language --------------------------------------------------------------------------
    version: Literal["3.7", "4.x"] = _choice(
        "3.7", "4.x", doc="4.x: startRestreamRecording takes IPv6 addresses too"
    )
    legacy_aliases: bool = _switch(
        doc="shareRecording is understood as shareRecordingWithUser (E16)"
    )
    codeless_not_found: bool = _switch(
        doc="ERROR|Command not found, without its code, as the guide's syntax section has it (E5)"
    )
    empty_line: Literal["ignore", "000002"] = _choice(
        "ignore", "000002", doc="what a blank line gets (E35)"
    )
    crlf: bool = _switch(doc="answers end with CR LF (E37)")
    echo_raw: bool = _switch(
        doc="refused arguments are echoed as they are, line feeds included: breaks framing (E38)"
    )
    longest_line: int = _number(
        65_536, int, 16_777_216, doc="bytes of a request line; a longer one is a Syntax Error"
    )
    # -- connections ---------------------------------------------------------------------------
    unauth_style: Literal["line", "bare", "eof", "reset"] = _choice(
        "line",
        "bare",
        "eof",
        "reset",
        doc="a peer that is not allowed gets ERROR|020000|Not Authorized and FIN, only the bare "
        "words and FIN, only FIN, or RST (E47)",
    )
    delisted_style: Literal["line", "eof", "keep"] = _choice(
        "line",
        "eof",
        "keep",
        doc="what an open connection gets when its address is taken off the list or the API is "
        "switched off: the 020000 line and FIN, only FIN, nothing (E46)",
    )
    apply_delay: float = _number(
        0.0, float, 10, doc="how long API switch and list of addresses take to have effect"
    )
    max_connections: int = _number(0, int, 100_000, doc="connections at a time; 0 = no limit")
    excess_connection: Literal["close_new", "close_old", "ignore"] = _choice(
        "close_new",
        "close_old",
        "ignore",
        doc="above max_connections: the new one or the oldest gets FIN, or the new one is accepted "
        "and never answered",
    )

    def with_value(self, name: str, value: object) -> "Knobs":
        """These knobs with one of them set from text or from a TOML or JSON scalar.

        Raises `KnobError`.
        """
        try:
            metadata = _METADATA[name]
        except KeyError:
            hint = did_you_mean(name, _METADATA, f"there are {', '.join(_METADATA)}")
            raise KnobError(f"no knob named {name!r}; {hint}") from None
        text = str(value).lower() if isinstance(value, bool) else str(value)
        read: Callable[[str], Any] = metadata["read"]
        try:
            return replace(self, **{name: read(text)})
        except ValueError as error:
            raise KnobError(f"knob {name}: {text!r} is not one of {error}") from None


_METADATA: Mapping[str, Mapping[str, Any]] = {each.name: each.metadata for each in fields(Knobs)}


def describe_knobs(knobs: Knobs) -> dict[str, dict[str, object]]:
    """Each knob's present value, accepted values and meaning."""
    return {
        name: {
            "value": getattr(knobs, name),
            "accepted": metadata["accepted"],
            "meaning": metadata["doc"],
        }
        for name, metadata in _METADATA.items()
    }
