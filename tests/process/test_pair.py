"""A second box that takes over: killed, paused, and changed by hand (R36, R37)."""

import json
import os
import signal
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from bridge.cli.options import ExitCode
from tests.broker_fixtures import Launch
from tests.cluster.fixtures import Launch as LaunchEtcd

from .pair import TTL, Pair
from .programs import run_bridge
from .site import MakeSite
from .watched import PATIENCE

KILLS = int(os.environ.get("HMP_BRIDGE_TEST_KILLS", "4"))
"""How often one of the boxes is killed, in turn."""


def test_one_leads_and_one_stands_by(pair: Pair) -> None:
    began = time.monotonic()
    pair.start_both()
    print(f"both after {time.monotonic() - began:.1f} s")
    a, b = pair.word("a"), pair.word("b")
    assert (a["state"], b["state"]) == ("leader", "standby")
    assert a["configuration"] == b["configuration"]
    pair.wait_for_word("b", servers={"main": "reachable"})
    pair.panel.press("r0", "record")
    pair.panel.wait_for("room/r0/ack", "record ok")
    assert pair.starts() == 1


def test_a_box_that_stands_by_answers_its_supervisor(pair: Pair) -> None:
    """It lives, and is not ready; so it is after a reload."""
    pair.site.tables["web"] = {"listen": "127.0.0.1:0"}
    pair.start_both()
    b = pair.boxes["b"]
    b.send_signal(signal.SIGHUP)
    b.wait_for_line("configuration reloaded")
    url = b.wait_for_line("health is served").partition("url=")[2].partition(" ")[0]
    with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as supervisor:
        assert supervisor.get("/health/live").status_code == 200
        deadline = time.monotonic() + PATIENCE
        while True:
            ready = supervisor.get("/health/ready")
            assert ready.status_code == 503
            if (said := ready.json()["not_ready"]) == {"box": "standby; a leads"}:
                break
            assert time.monotonic() < deadline, said  # the store may be long in saying who does


def test_a_recording_goes_on_when_the_leader_is_killed(pair: Pair) -> None:
    pair.start_both()
    panel = pair.panel
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    recording = panel.newest("room/r0/recording_id")
    mark, began = panel.mark(), time.monotonic()
    pair.boxes["a"].send_signal(signal.SIGKILL)
    # It comes while nobody leads, and waits at the broker.
    panel.press("r1", "record")
    ready = panel.wait_for("bridge/state", "online", since=mark)
    print(f"from kill to online: {ready.at - began:.2f} s of a lease of {TTL} s")
    panel.wait_for("room/r1/ack", "record ok", since=mark)
    assert panel.newest("room/r0/recording_id") == recording
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok", since=mark)
    assert pair.starts() == 2
    pair.wait_for_word("b", state="leader")
    pair.wait_for_word("a", state="offline")


@pytest.mark.timeout(120 + 15 * KILLS)
def test_both_are_killed_in_turn(pair: Pair) -> None:
    """Each time the next one has the recording, and the press that came while nobody led."""
    pair.start_both()
    panel = pair.panel
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    recording = panel.newest("room/r0/recording_id")
    took: list[float] = []
    leader, other = "a", "b"
    for number in range(KILLS):
        action = "stop" if number % 2 else "record"
        mark, began = panel.mark(), time.monotonic()
        pair.boxes[leader].send_signal(signal.SIGKILL)
        panel.press("r1", action)
        took.append(panel.wait_for("bridge/state", "online", since=mark).at - began)
        panel.wait_for("room/r1/ack", f"{action} ok", since=mark)
        pair.wait_ready(other)
        assert panel.newest("room/r0/recording_id") == recording
        assert panel.newest("room/r0/state") == "recording"
        pair.boxes[leader].wait()
        pair.start(leader)
        pair.wait_for_word(leader, state="standby", store="reachable")
        leader, other = other, leader
    median, longest = statistics.median(took), max(took)
    print(f"kill to online: median {median:.2f}, longest {longest:.2f} s of {KILLS}, lease {TTL} s")
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok")
    assert pair.starts() == 1 + (KILLS + 1) // 2


def test_a_start_in_flight_at_a_kill_is_known_by_its_intent(
    site: MakeSite, stack: ExitStack, launch_etcd: LaunchEtcd
) -> None:
    pair = Pair(site, stack, launch_etcd, knobs=["active_check=before"])
    pair.start_both()
    panel, hmp = pair.panel, pair.hmp
    hmp.fault("slow_reply:startRecording:600:count=1")
    panel.press("r0", "record")
    hmp.wait_until(lambda _: pair.starts() == 1, "a start")
    pair.boxes["a"].send_signal(signal.SIGKILL)
    panel.wait_until(
        lambda _: (
            panel.status("r0").get("alarm") == "outcome_unknown"
            and panel.status("r0").get("state") == "recording"
        ),
        "a recording that is proved, whose id nobody knows",
    )
    assert pair.starts() == 1


def test_one_that_was_paused_beyond_its_lease_sends_nothing(pair: Pair) -> None:
    pair.start_both()
    panel = pair.panel
    mark = panel.mark()
    pair.boxes["a"].send_signal(signal.SIGSTOP)
    panel.press("r0", "record")
    pair.wait_for_word("b", state="leader")
    panel.wait_for("room/r0/ack", "record ok", since=mark)
    panel.wait_for_newest("bridge/state", "online")
    commands = len(pair.hmp.commands())
    pair.boxes["a"].send_signal(signal.SIGCONT)
    pair.wait_for_word("a", state="standby", store="reachable")
    panel.wait_for_newest("bridge/state", "online")
    own = [each for each in pair.hmp.commands()[commands:] if "Status" not in each["line"]]
    assert own == []
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok", since=mark)
    assert pair.starts() == 1
    assert panel.newest("room/r0/state") == "idle"


def test_one_that_leaves_in_order_is_followed_at_once(pair: Pair) -> None:
    """A rolling upgrade: each box is started anew while a room records."""
    pair.start_both()
    panel = pair.panel
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    recording = panel.newest("room/r0/recording_id")
    for leader, other in (("a", "b"), ("b", "a")):
        mark, began = panel.mark(), time.monotonic()
        assert pair.boxes[leader].stop() == 0
        panel.press("r1", "record" if leader == "a" else "stop")
        word = "record ok" if leader == "a" else "stop ok"
        pair.wait_for_word(other, state="leader")
        ready = panel.wait_for("bridge/state", "online", since=mark)
        print(f"from SIGTERM to online: {ready.at - began:.2f} s of a lease of {TTL} s")
        panel.wait_for("room/r1/ack", word, since=mark)
        pair.start(leader)
        pair.wait_for_word(leader, state="standby", store="reachable")
        assert panel.newest("room/r0/recording_id") == recording
        assert panel.newest("room/r0/state") == "recording"
    assert pair.starts() == 2


def test_yield_changes_hands_and_loses_no_press(pair: Pair) -> None:
    pair.start_both()
    panel = pair.panel
    config = str(pair.boxes["a"].file)
    mark = panel.mark()
    with ThreadPoolExecutor(1) as beside:
        yielding = beside.submit(run_bridge, "yield", "--config", config)
        pressed = 0
        while not yielding.done():
            panel.publish("room/r0/set", json.dumps({"action": "toggle", "id": f"press-{pressed}"}))
            pressed += 1
            panel.wait_for_results("r0", pressed, since=mark)
    done = yielding.result()
    assert (done.returncode, done.stdout) == (0, "b leads\n"), done.stderr
    pair.wait_for_word("a", state="standby")
    results = panel.wait_for_results("r0", pressed, since=mark)
    ids = {each["id"] for each in results}
    assert ids == {f"press-{number}" for number in range(pressed)}
    assert pair.starts() == (pressed + 1) // 2
    # And back again, by a request.
    answer = pair.site.panel
    answer.publish("bridge/request/yield", "{}")
    pair.wait_for_word("a", state="leader")


def test_yield_is_refused_where_nobody_is_ready(pair: Pair) -> None:
    a = pair.start("a")
    pair.wait_ready("a")
    refused = run_bridge("yield", "--config", str(a.file))
    assert refused.returncode == 1
    assert "No other box is ready to take over" in refused.stderr
    assert pair.word("a")["state"] == "leader"


def _dies(pair: Pair) -> Callable[[], None]:
    pair.store[0].kill()
    return lambda: pair.store.start(0)


def _is_silent(pair: Pair) -> Callable[[], None]:
    """For so long that the lease has run out when it goes on."""
    pair.store[0].freeze()
    return pair.store[0].thaw


@pytest.mark.parametrize("goes", [_dies, _is_silent])
def test_a_press_is_recorded_when_the_store_is_away(
    pair: Pair, goes: Callable[[Pair], Callable[[], None]]
) -> None:
    pair.start_both()
    panel, a = pair.panel, pair.boxes["a"]
    comes = goes(pair)
    pair.wait_for_word("b", store="unreachable")
    a.wait_for_line("this box stands otherwise", "standing=alone")
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    panel.wait_until(
        lambda _: "journal_failing" in panel.status("r0").get("alarms", []), "an alarm"
    )
    recording = panel.newest("room/r0/recording_id")
    comes()
    a.wait_for_line("this box stands otherwise", "standing=leads")
    panel.wait_until(lambda _: panel.status("r0").get("alarms") == [], "no alarm")
    pair.wait_for_word("b", store="reachable")
    # All of it is written by now.
    mark = panel.mark()
    a.send_signal(signal.SIGKILL)
    panel.wait_for("bridge/state", "online", since=mark)
    assert panel.newest("room/r0/recording_id") == recording
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok", since=mark)
    assert pair.starts() == 1


def test_one_that_is_alone_comes_back_to_its_broker(
    site: MakeSite, stack: ExitStack, launch: Launch, launch_etcd: LaunchEtcd
) -> None:
    """Without the store, and for a while without the session: nobody else can have the lease."""
    broker = launch()
    pair = Pair(site, stack, launch_etcd, broker=broker)
    pair.start_both()
    panel, a = pair.panel, pair.boxes["a"]
    pair.store[0].kill()
    a.wait_for_line("this box stands otherwise", "standing=alone")
    pair.wait_for_word("b", store="unreachable")
    broker.kill()
    since = len(a.lines)
    broker.start()
    a.wait_for_line("this box stands otherwise", "standing=alone", since=since)
    panel.wait_for_newest("bridge/state", "online")
    mark = panel.mark()
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok", since=mark)
    assert pair.starts() == 1


def test_everything_of_both_is_emptied(pair: Pair) -> None:
    pair.start_both()
    config = ("--config", str(pair.boxes["b"].file))
    pair.boxes["b"].stop()
    refused = run_bridge("clean", *config)
    assert refused.returncode == ExitCode.UNAVAILABLE
    assert "a leads; stop every box first" in refused.stderr
    pair.boxes["a"].stop()
    cleaned = run_bridge("clean", *config)
    assert cleaned.returncode == 0, cleaned.stderr
    panel = pair.panel
    panel.wait_until(lambda _: panel.newest("bridge/state") == "", "no state")
    seen = {each.topic for each in panel.seen.since()}
    retained = [each.removeprefix(f"{panel.base}/") for each in seen]
    passing = ("/ack", "/result", "/marker", "/response/")
    assert [
        each for each in retained if panel.newest(each) and not any(p in each for p in passing)
    ] == []
