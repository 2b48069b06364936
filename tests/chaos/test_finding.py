"""The campaign finds what is planted in the daemon, in a few rounds."""

import pytest
import trio

from tests.cluster.servers import need_etcd

from .campaign import Campaign
from .plan import Fault, Places, make_plan
from .planted import PLANTS

FINDS = {"commit": "written_out_of_turn", "pause": "sent_out_of_turn"}
"""What it is found by."""


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
    need_etcd()
    campaign = Campaign(5, 120.0, pair=True, planted=planted)
    assert not trio.run(campaign.run)
    assert FINDS[planted] in {violation.name for _, violation in campaign.violations}
    assert campaign.rounds <= 4
