"""What others write to the bridge's own topics does not stand (R32)."""

import json
from functools import partial

import pytest

from .site import MakeSite, Site

FORGED = {
    "room/r0/recording": "true",
    "room/r1/state": "recording",
    "room/r1/status": "{}",
    "server/main/state": "down",
    "bridge/info": "{}",
    "bridge/health": "{}",
    "bridge/state": "false",
}

EMPTIED = ("room/r0/status", "bridge/health")
"""Of kinds that the bridge hears by then: over 3.1.1 it does so some time after it is online.

A word is retained until then, an emptied topic is not.
"""


def is_settled(s: Site, room: str, _: object) -> bool:
    """Whether the room says no more than it will go on saying."""
    return s.panel.status(room).get("stale") is False


@pytest.mark.parametrize("protocol", [pytest.param("5", marks=pytest.mark.mqtt5), "3.1.1"])
def test_every_topic_of_ours_says_again_what_is(site: MakeSite, protocol: str) -> None:
    s = site(mqtt={"protocol": protocol})
    for room in s.sessions():
        s.panel.wait_until(partial(is_settled, s, room), "HMP's word")
    s.panel.wait_for("bridge/health")
    for forged in FORGED, dict.fromkeys(EMPTIED, ""):
        before = {leaf: s.panel.newest(leaf) or "" for leaf in forged if leaf != "bridge/health"}
        mark = s.panel.mark()
        for leaf, payload in forged.items():
            s.panel.publish(leaf, payload, retain=True)
        for leaf, payload in forged.items():
            s.panel.wait_for(leaf, payload, since=mark)
        mark = s.panel.mark()
        for leaf, said in before.items():
            s.panel.wait_for_newest(leaf, said)
        s.panel.wait_for("bridge/health", since=mark)  # which says something else every second
    health = json.loads(s.panel.newest("bridge/health") or "{}")
    assert health["broker"]["contested"] == []
    assert health["broker"]["refused_filters"] == {}
    s.panel.press("r0", "toggle")  # each press comes once, whatever else is subscribed to
    s.panel.wait_for("room/r0/ack", "toggle ok")
    s.panel.wait_for_newest("room/r0/state", "recording")
    assert len(s.panel.wait_for_results("r0", 1)) == 1
    assert len(s.daemon.lines_with("said something else")) < len(FORGED)
