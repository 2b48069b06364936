"""The options of the simulator as a program, and what its help says of faults and knobs."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["add_options", "faults", "knobs"]


def add_options(
    parser: argparse.ArgumentParser, path: Callable[[str], Path] = Path
) -> argparse.ArgumentParser:
    """Give `parser` the options, and give it back; `path` reads the name of a file."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=23233, help="0 = any (%(default)s)")
    parser.add_argument(
        "--control-port", type=_port, metavar="PORT", help="JSON lines; 0 = any (default: none)"
    )
    parser.add_argument(
        "--world", type=path, metavar="FILE", help="TOML file (default: the example world)"
    )
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND", help="arm a fault; repeatable"
    )
    parser.add_argument(
        "--knob", action="append", default=[], type=_knob, metavar="NAME=VALUE", help="repeatable"
    )
    parser.add_argument("--seed", type=_seed, help="the same ids every time")
    parser.add_argument("--verbose", action="store_true", help="one line per event")
    return parser


def faults() -> Iterator[tuple[str, str]]:
    """Each kind of fault, and its effect."""
    from .faults import FAULT_KINDS

    for name, kind in FAULT_KINDS.items():
        default = f"; VALUE is {kind.default} by default" if kind.default else ""
        yield name, f"{kind.meaning}{default}"


def knobs() -> Iterator[tuple[str, str]]:
    """Each knob, what it is by default, what it takes and means."""
    from .knobs import Knobs, describe_knobs

    for name, knob in describe_knobs(Knobs()).items():
        value = knob["value"]
        shown = str(value).lower() if isinstance(value, bool) else f"{value}"
        yield f"{name}={shown}", f"{knob['accepted']}: {knob['meaning']}"


def _knob(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
