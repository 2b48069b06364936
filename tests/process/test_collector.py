"""The garbage collector, which lets be what is there once the bridge is online, and looks less."""

import subprocess
import sys

from .programs import clean_environment

LOOK = "print(gc.get_freeze_count() > 0, gc.get_threshold()[0])"
PROGRAM = f"""
import gc
from bridge.process.collector import started
{LOOK}
started()
{LOOK}
"""


def test_it_lets_be_what_is_there_and_looks_seldom_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    (before, usual), (after, seldom) = (line.split() for line in done.stdout.splitlines())
    assert (before, after) == ("False", "True")
    assert int(seldom) > int(usual)
