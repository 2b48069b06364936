"""The campaign finds what is planted in the daemon, in a few rounds."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.servers import need_etcd

from .plan import Fault, Places, make_plan
from .planted import PLANTS

SHOWN_BY = {"commit": "written_out_of_turn", "pause": "sent_out_of_turn"}


@pytest.mark.parametrize("planted", PLANTS)
def test_a_round_has_presses_and_what_meets_it(planted: str) -> None:
    plan = make_plan(1, 0, Places(("one", "two"), ("main",), 2.0, planted))
    faults = [each.what for each in plan.operations if isinstance(each.what, Fault)]
    assert len(faults) == 1
    assert len(plan.operations) > 100


@pytest.mark.cluster
@pytest.mark.timeout(300)
@pytest.mark.parametrize("planted", PLANTS)
def test_what_is_planted_is_found(planted: str) -> None:
    """By its own name, whatever follows from it beside that."""
    need_etcd()
    how = ["--pair", "--plant", planted, "--seed", "5", "--seconds", "60"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *how],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert f"VIOLATION {SHOWN_BY[planted]} " in done.stdout, done.stdout
