"""The operations of the control port, as a table: web pages, access, faults, knobs, and looking.

The functions act on a `Simulator` at once, without awaiting, and return what is to be answered
beside ``ok``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import web_pages
from .faults import FAULT_KINDS, Fault
from .knobs import describe_knobs
from .server import Simulator
from .snapshot import log_since, snapshot
from .world import World

__all__ = ["ControlError", "perform"]


class ControlError(ValueError):
    """The request is not one; the message says what would be."""


@dataclass(frozen=True, slots=True)
class _Operation:
    """One thing to do: what it means, the fields it takes, and the function that gets them."""

    meaning: str
    act: Callable[..., Mapping[str, Any] | None]
    needs: Mapping[str, str] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)


_ACCEPTS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "true or false": lambda value: isinstance(value, bool),
    "whole number": lambda value: type(value) is int and value >= 0,
    "seconds": lambda value: type(value) in (int, float) and 0 <= value < float("inf"),
    "list of texts": lambda value: (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    ),
    "keep, forget or error": lambda value: value in ("keep", "forget", "error"),
    "text or object": lambda value: isinstance(value, (str, dict)),
    "text, number, true or false": lambda value: isinstance(value, (str, int, float, bool)),
}


def _start(simulator: Simulator, session: str) -> Mapping[str, Any]:
    return {"recording": web_pages.start_recording(simulator.world, session).id}


def _create_session(
    simulator: Simulator, title: str, sources: list[str] | None = None
) -> Mapping[str, Any]:
    return {"session": web_pages.create_session(simulator.world, title, sources or []).id}


def _fault(simulator: Simulator, fault: str | dict[str, Any]) -> Mapping[str, Any]:
    read = Fault.from_text(fault) if isinstance(fault, str) else Fault.from_mapping(fault)
    simulator.world.faults.add(read)
    return {"fault": str(read)}


def _clear_faults(simulator: Simulator, kind: str | None = None) -> Mapping[str, Any]:
    if kind is not None and kind not in FAULT_KINDS:
        raise ControlError(f"no fault {kind!r}; kinds are {', '.join(FAULT_KINDS)}")
    return {"cleared": simulator.world.faults.clear(kind)}


def _faults(simulator: Simulator) -> Mapping[str, Any]:
    kinds = {name: kind.meaning for name, kind in FAULT_KINDS.items()}
    return {"faults": simulator.world.faults.listing(), "kinds": kinds}


def _knob(simulator: Simulator, name: str, value: object) -> None:
    simulator.world.knobs = simulator.world.knobs.with_value(name, value)


def _help(_simulator: Simulator) -> Mapping[str, Any]:
    return {
        "operations": {
            name: {
                "meaning": operation.meaning,
                "needs": dict(operation.needs),
                "takes": dict(operation.takes),
            }
            for name, operation in _OPERATIONS.items()
        }
    }


def _of_recording(meaning: str, act: Callable[[World, str], None]) -> _Operation:
    """The operation that does something to one recording past the API's back."""
    return _Operation(
        meaning, lambda simulator, recording: act(simulator.world, recording), {"recording": "text"}
    )


_OPERATIONS: Mapping[str, _Operation] = {
    "help": _Operation("this list", _help),
    "start": _Operation("start a recording in the web pages", _start, {"session": "text"}),
    "pause": _of_recording("pause a recording in the web pages", web_pages.pause_recording),
    "resume": _of_recording("resume a recording in the web pages", web_pages.resume_recording),
    "stop": _of_recording("stop a recording in the web pages", web_pages.stop_recording),
    "delete": _of_recording("delete a recording", web_pages.delete_recording),
    "fail": _of_recording("turn a recording to ERROR", web_pages.fail_recording),
    "create_session": _Operation(
        "make a session", _create_session, {"title": "text"}, {"sources": "list of texts"}
    ),
    "delete_session": _Operation(
        "delete a session, ending its recordings",
        lambda simulator, session: web_pages.delete_session(simulator.world, session),
        {"session": "text"},
    ),
    "api": _Operation(
        "switch the Command Line API on or off",
        lambda simulator, enabled: simulator.switch_api(enabled=enabled),
        {"enabled": "true or false"},
    ),
    "allow": _Operation(
        'authorize an address ("*": every one)',
        lambda simulator, address: simulator.list_address(address, allowed=True),
        {"address": "text"},
    ),
    "deny": _Operation(
        "take an address off the list",
        lambda simulator, address: simulator.list_address(address, allowed=False),
        {"address": "text"},
    ),
    "fault": _Operation("arm a fault", _fault, {"fault": "text or object"}),
    "clear_faults": _Operation(
        "disarm all faults, or those of one kind", _clear_faults, {}, {"kind": "text"}
    ),
    "faults": _Operation("the armed faults, and what kinds there are", _faults),
    "knob": _Operation(
        "set a knob", _knob, {"name": "text", "value": "text, number, true or false"}
    ),
    "knobs": _Operation(
        "every knob with its value and meaning",
        lambda simulator: {"knobs": describe_knobs(simulator.world.knobs)},
    ),
    "drop": _Operation(
        "close every connection to the API",
        lambda simulator: {"dropped": simulator.drop_connections()},
    ),
    "restart": _Operation(
        "restart HMP: connections lost, refused for `down` s, then 070000 for `unready` s; "
        "active recordings are kept, forgotten or in ERROR",
        lambda simulator, **how: simulator.restart(**how),
        {},
        {"down": "seconds", "unready": "seconds", "recordings": "keep, forget or error"},
    ),
    "snapshot": _Operation(
        "the whole world, with the newest `log` (1000) executed commands",
        lambda simulator, log=1000: {
            **snapshot(simulator.world, log),
            "connections": [each.peer for each in simulator.connections],
            "accepted": simulator.accepted,
        },
        {},
        {"log": "whole number"},
    ),
    "log": _Operation(
        "the executed commands from number `since` (0) on",
        lambda simulator, since=0: log_since(simulator.world, since),
        {},
        {"since": "whole number"},
    ),
}


def perform(simulator: Simulator, request: object) -> dict[str, Any]:
    """Carry out one decoded request; what it answers beside ``ok``.

    Raises `ControlError`, or another `ValueError` or `OSError` whose text says what was wrong.
    """
    if not isinstance(request, dict) or "do" not in request:
        raise ControlError('a request is an object such as {"do": "help"}')
    name = request["do"]
    operation = _OPERATIONS.get(name) if isinstance(name, str) else None
    if operation is None:
        raise ControlError(f"cannot do {name!r}; operations are {', '.join(_OPERATIONS)}")
    accepted = {**operation.needs, **operation.takes}
    values = {key: value for key, value in request.items() if key != "do"}
    for key in operation.needs:
        if key not in values:
            raise ControlError(f"{name} needs {key} ({operation.needs[key]})")
    for key, value in values.items():
        if key not in accepted:
            raise ControlError(f"{name} takes {', '.join(accepted) or 'nothing'}, not {key}")
        if not _ACCEPTS[accepted[key]](value):
            raise ControlError(f"{name}: {key} must be {accepted[key]}, not {value!r}")
    return {"ok": True, **(operation.act(simulator, **values) or {})}
