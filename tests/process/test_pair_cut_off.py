"""Two boxes, one of which cannot reach the store, or the broker, or both cannot (R36)."""

import json
import time
from datetime import datetime

from .pair import TTL, Cut, Line, Pair

_LONG = 10
"""Seconds of a lease within which even a late machine carries out a press."""


def start_with_lines(pair: Pair, cut: Cut, *, ttl: int = TTL) -> dict[str, Line]:
    """`a` leads, `b` stands by; each with its own way to the store."""
    lines = {box: cut(pair.store[0].port) for box in ("a", "b")}
    pair.start("a", url=f"http://127.0.0.1:{lines['a'].port}", ttl=ttl)
    pair.wait_ready("a")
    pair.start("b", url=f"http://127.0.0.1:{lines['b'].port}", ttl=ttl)
    pair.wait_for_word("b", state="standby", store="reachable")
    return lines


def press(pair: Pair, room: str, action: str) -> str:
    """Press with an id of its own; which."""
    name = f"{action}-{room}"
    pair.panel.publish(f"room/{room}/set", json.dumps({"action": action, "id": name}))
    return name


def ids(pair: Pair) -> list[str]:
    """Of the results of r0, in their order."""
    return [each["id"] for each in pair.panel.wait_for_results("r0", 1)]


def test_what_cannot_be_written_is_started_by_one_box_alone(pair: Pair, cut: Cut) -> None:
    """The way to the store is cut while the lease runs: who leads next has the press."""
    lines = start_with_lines(pair, cut)
    panel = pair.panel
    lines["a"].is_cut = True
    pressed = [press(pair, "r0", "record")]
    pair.boxes["b"].wait_for_line("request done", f"id={pressed[0]} outcome=ok")
    panel.wait_for_newest("room/r0/state", "recording")
    # Whatever else was to be said of it has been said by the time of this one's result.
    pressed.append(press(pair, "r0", "stop"))
    panel.wait_until(lambda _: ids(pair)[-1] == pressed[1], "a result of what came last")
    assert ids(pair) == pressed
    assert pair.starts() == 1
    assert "journal cannot be written" not in pair.boxes["a"].output


def test_a_stop_is_not_held_while_the_lease_runs(pair: Pair, cut: Cut) -> None:
    """It is sent at once, though it cannot be written, and has one result: of who leads next."""
    lines = start_with_lines(pair, cut, ttl=_LONG)
    panel = pair.panel
    pressed = [press(pair, "r0", "record")]
    panel.wait_for_results("r0", 1)
    lines["a"].is_cut = True
    pressed.append(press(pair, "r0", "stop"))
    panel.wait_for_results("r0", 2)
    panel.wait_for_newest("room/r0/state", "idle")
    leading = pair.boxes["b"].wait_for_line("event=leading")
    began = datetime.fromisoformat(leading.partition("timestamp=")[2].partition(" ")[0])
    assert pair.hmp.commands("stopRecording")[0]["at"] < began.timestamp()
    pressed.append(press(pair, "r0", "resume"))
    panel.wait_until(lambda _: pressed[2] in ids(pair), "a result of what came last")
    assert [each for each in ids(pair) if each != pressed[0]] == pressed[1:]
    assert pair.starts() == 1


def test_a_press_is_recorded_soon_when_neither_reaches_the_store(pair: Pair, cut: Cut) -> None:
    """It comes at the very moment when the store goes."""
    lines = start_with_lines(pair, cut)
    panel = pair.panel
    for line in lines.values():
        line.is_cut = True
    began = time.monotonic()
    panel.press("r0", "record")
    pair.until(lambda: pair.starts() == 1, "a start")
    print(f"recorded after {time.monotonic() - began:.1f} s")
    panel.wait_for("room/r0/ack", "record ok")
    panel.wait_until(
        lambda _: "journal_failing" in panel.status("r0").get("alarms", []), "an alarm"
    )
    assert pair.word("b")["state"] == "standby"
    assert pair.starts() == 1


def test_one_that_is_alone_ends_when_another_reaches_the_store(pair: Pair, cut: Cut) -> None:
    lines = {box: cut(pair.store[0].port) for box in ("a", "b")}
    pair.start("a", url=f"http://127.0.0.1:{lines['a'].port}")
    pair.wait_ready("a")
    pair.start("b", url=f"http://127.0.0.1:{lines['b'].port}")
    pair.wait_for_word("b", state="standby", store="reachable")
    panel = pair.panel
    for line in lines.values():
        line.is_cut = True
    pair.boxes["a"].wait_for_line("this box stands otherwise", "standing=alone")
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    recording = panel.newest("room/r0/recording_id")
    mark = panel.mark()
    lines["b"].is_cut = False
    pair.boxes["a"].wait_for_line("this box stands otherwise", "standing=ends")
    pair.wait_for_word("b", state="leader")
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok", since=mark)
    # The journal did not have it; the room's retained topics did.
    assert panel.newest("room/r0/last_recording_id") == recording
    assert pair.starts() == 1


def test_one_that_cannot_reach_the_store_leaves_to_one_that_can(pair: Pair, cut: Cut) -> None:
    to_store = cut(pair.store[0].port)
    pair.start("a", url=f"http://127.0.0.1:{to_store.port}")
    pair.wait_ready("a")
    pair.start("b")
    pair.wait_for_word("b", state="standby", store="reachable")
    panel = pair.panel
    to_store.is_cut = True
    mark = panel.mark()
    pair.wait_for_word("b", state="leader")
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok", since=mark)
    pair.wait_for_word("a", state="standby", store="unreachable")
    panel.wait_for_newest("bridge/state", "online")
    assert pair.starts() == 1


def test_one_that_cannot_reach_the_broker_leaves_to_one_that_can(pair: Pair, cut: Cut) -> None:
    to_broker = cut(pair.site.broker.port)
    pair.start("a", broker=to_broker.port)
    pair.wait_ready("a")
    pair.start("b")
    pair.wait_for_word("b", state="standby", store="reachable")
    panel = pair.panel
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    mark = panel.mark()
    to_broker.is_cut = True
    panel.press("r1", "record")
    pair.wait_for_word("b", state="leader")
    panel.wait_for("room/r1/ack", "record ok", since=mark)
    assert pair.starts() == 2
    to_broker.is_cut = False
    pair.wait_for_word("a", state="standby", store="reachable")
    panel.wait_for_newest("bridge/state", "online")


def test_one_that_hears_nothing_holds_until_it_does(pair: Pair, cut: Cut) -> None:
    """Without store, broker and lease, whatever the others were at last."""
    to_broker = cut(pair.site.broker.port)
    lines = {box: cut(pair.store[0].port) for box in ("a", "b")}
    a = pair.start("a", url=f"http://127.0.0.1:{lines['a'].port}", broker=to_broker.port)
    pair.wait_ready("a")
    pair.start("b", url=f"http://127.0.0.1:{lines['b'].port}")
    pair.wait_for_word("b", state="standby", store="reachable")
    panel = pair.panel
    lines["b"].cut()
    pair.wait_for_word("b", store="unreachable")
    lines["a"].cut()
    to_broker.cut()
    panel.press("r0", "record")
    a.wait_for_line("this box stands otherwise", "standing=holds lease=false session=false")
    mark = panel.mark()
    lines["b"].is_cut = False
    pair.wait_for_word("b", state="leader")
    panel.wait_for("room/r0/ack", "record ok", since=mark)
    assert "standing=ends" not in a.output
    to_broker.is_cut = False
    a.wait_for_line("this box stands otherwise", "standing=ends")
    pair.wait_for_word("a", state="standby", store="unreachable")
    assert pair.starts() == 1
