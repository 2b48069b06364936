"""What the bridge itself can be asked, over a real broker."""

import json
import time
from contextlib import closing

import pytest

from .panel import Panel
from .requester import Ask, Requester
from .site import MakeSite, Site


@pytest.fixture
def asked(site: MakeSite, asking: Ask) -> tuple[Site, Requester]:
    """A site and somebody who asks."""
    s = site(server={"probe_interval": "1h"})
    return s, asking(s)


def test_info_and_health(asked: tuple[Site, Requester]) -> None:
    """The object that is retained; and figures that were measured for this answer."""
    s, requester = asked
    info = requester.request("bridge/request/info")
    assert info["value"] == json.loads(s.panel.newest("bridge/info") or "")
    assert info["value"]["rooms"] == ["r0", "r1"]
    before = len(s.hmp.commands("getRecordingStatus"))
    began = time.monotonic()
    health = requester.request("bridge/request/health")["value"]
    took_ms = (time.monotonic() - began) * 1000
    assert health["ok"] is True
    main = health["servers"]["main"]
    assert main["state"] == "ready"
    assert main["error"] is None
    assert 0 < main["round_trip_ms"] < took_ms
    assert 0 < health["broker"]["round_trip_ms"] < took_ms
    assert 0 < health["journal"]["commit_ms"] < took_ms
    assert len(s.hmp.commands("getRecordingStatus")) == before + 1


def test_a_silent_hmp_shows_within_the_bound(asked: tuple[Site, Requester]) -> None:
    """The retained health still says ready; the measured one knows better."""
    s, requester = asked
    s.hmp.freeze()
    health = requester.request("bridge/request/health")["value"]
    s.hmp.thaw()
    assert health["ok"] is False
    assert health["servers"]["main"]["ok"] is False
    assert "no answer" in health["servers"]["main"]["error"]
    assert health["broker"]["ok"] is True
    assert health["journal"]["ok"] is True
    assert requester.request("bridge/request/health")["value"]["ok"] is True


def test_announce_publishes_every_retained_topic_again(asked: tuple[Site, Requester]) -> None:
    s, requester = asked
    with closing(Panel(s.broker.port, s.base)) as late:
        s.panel.publish("room/nowhere/echo", "x")  # behind everything that is retained
        late.wait_for("room/nowhere/echo")
        retained = {seen.topic for seen in late.seen.since() if seen.retained}
        since = late.mark()
        answer = requester.request("bridge/request/announce")
        assert answer["outcome"] == "ok"

        def all_again(_: object) -> bool:
            again = {seen.topic for seen in late.seen.since(since) if not seen.retained}
            return retained <= again

        late.wait_until(all_again, "every retained topic again")
        assert answer["value"]["topics"] >= len(retained)


def test_the_log_s_level(asked: tuple[Site, Requester]) -> None:
    s, requester = asked
    assert requester.request("bridge/request/log_level", {"level": "error"})["outcome"] == "ok"
    assert requester.request("bridge/request/nosuch")["error"]["code"] == "unknown_verb"
    assert requester.request("bridge/request/log_level", {"level": "info"})["outcome"] == "ok"
    assert requester.request("bridge/request/nothing")["error"]["code"] == "unknown_verb"
    s.daemon.wait_for_line("bridge/request/nothing")
    assert s.daemon.lines_with("bridge/request/nosuch") == []
