"""``python -m tests.chaos``: hurt the installed daemon in every way, compare, count, and say so."""

import argparse
import secrets
import sys
from collections.abc import Sequence

import trio

from .campaign import PATIENCE, Campaign
from .planted import PLANTS

__all__ = ["main"]


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Runs the installed daemon, mosquitto and two simulated HMPs under faults, and "
        "compares HMP's world, the journal, the retained topics and what panels were told. The "
        "exit code is 1 when a promise was broken.",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, default=60.0, help="how long (%(default)s)")
    length.add_argument("--minutes", type=float, help="the same in minutes")
    parser.add_argument("--seed", type=int, help="replays the plan of a run (default: a new one)")
    parser.add_argument("--first", type=int, default=0, help="round to begin with (%(default)s)")
    parser.add_argument("--pair", action="store_true", help="two boxes with one journal in etcd")
    parser.add_argument("--plant", choices=PLANTS, default="", help="a fault that is to be found")
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        help="seconds that a calm may take (%(default)s); more beside other work",
    )
    parser.add_argument("--verbose", action="store_true", help="every round's faults by kind")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the arguments say; the exit code."""
    given = _arguments().parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    seconds = given.seconds if given.minutes is None else given.minutes * 60
    campaign = Campaign(
        seed,
        seconds,
        first=given.first,
        verbose=given.verbose,
        pair=given.pair,
        planted=given.plant,
        patience=given.patience,
    )
    return 0 if trio.run(campaign.run) else 1


if __name__ == "__main__":
    sys.exit(main())
