"""The garbage collector, which rests while the bridge is loaded, lets be what stays, looks less."""

import subprocess
import sys

from .programs import clean_environment

LOOK = "print(gc.isenabled(), gc.get_freeze_count(), gc.get_threshold()[0])"
PROGRAM = f"""
import gc
from bridge.process.collector import loaded, loading, started
{LOOK}
loading()
{LOOK}
loaded()
{LOOK}
more = [[] for _ in range(1000)]
loaded()
{LOOK}
started()
{LOOK}
more = [more, [[] for _ in range(1000)]]
loaded()
started()
{LOOK}
"""


def test_it_rests_while_loading_and_lets_be_what_is_there_then_and_once_online() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    looks, frozen, between = zip(*map(str.split, done.stdout.splitlines()), strict=True)
    assert looks == ("True", "False", *4 * ("True",))
    before, meanwhile, after, once_more, online, again = map(int, frozen)
    assert before == meanwhile == 0 < after == once_more <= online - 1000
    assert again == online
    assert int(between[0]) == int(between[1]) < int(between[2]) == int(between[-1])
