"""The garbage collector, which looks seldom while the bridge starts, and as usual from then on."""

import subprocess
import sys

from .programs import clean_environment

LOOK = "print(gc.get_freeze_count() > 0, gc.get_threshold())"
PROGRAM = f"""
import gc
from bridge.process.collector import started, starting
{LOOK}
starting()
{LOOK}
started()
{LOOK}
"""


def test_it_is_as_usual_once_the_bridge_has_started_but_for_what_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    before, meanwhile, after = done.stdout.splitlines()
    assert before.startswith("False")
    assert meanwhile.startswith("False")
    assert meanwhile != before
    assert after == before.replace("False", "True")
