"""The garbage collector, which rests while the bridge is loaded, lets be what stays, looks less."""

import subprocess
import sys

from .programs import clean_environment

LOOK = "print(gc.isenabled(), gc.get_freeze_count() > 0, gc.get_threshold()[0])"
PROGRAM = f"""
import gc
from bridge.process.collector import loaded, loading, started
{LOOK}
loading()
{LOOK}
loaded()
{LOOK}
started()
{LOOK}
"""


def test_it_rests_while_loading_and_lets_be_what_is_there_once_online() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    before, meanwhile, after, online = (line.split() for line in done.stdout.splitlines())
    assert [each[0] for each in (before, meanwhile, after)] == ["True", "False", "True"]
    assert [each[1] for each in (before, meanwhile, after, online)] == [*3 * ["False"], "True"]
    assert int(online[2]) == int(after[2]) > int(before[2])
