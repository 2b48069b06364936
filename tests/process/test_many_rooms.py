"""Two hundred rooms on one HMP, pressed at once; and a flood of what nobody can understand."""

import json
import random
import re
from contextlib import closing

from .panel import Seen
from .site import MakeSite
from .tap import Tap

ROOMS = 200
ANSWERS = ("/room/r0/result", "/bridge/response/error")


def test_two_hundred_rooms_start_at_once(site: MakeSite) -> None:
    """All record, one command is in flight at any time, and a stop goes ahead of the starts."""
    s = site(ROOMS, start=False)
    with closing(Tap(s.hmp.port)) as tap:
        s.configure(rooms=ROOMS, hmp_port=tap.port, server={"poll_interval": "2s"})
        s.hmp.fault("delay:*:0.002")
        s.add_daemon()
        s.wait_ready()
        s.panel.press("r0", "record")
        s.panel.wait_for("room/r0/ack", "record ok")
        s.hmp.freeze()  # until all starts wait, and the stop behind them
        s.panel.publish_many([(f"room/r{n}/press/record", "true") for n in range(1, ROOMS)])
        for number in range(1, ROOMS):
            s.panel.wait_for(f"room/r{number}/state", "starting")
        s.panel.press("r0", "stop")
        s.panel.wait_for("room/r0/state", "stopping")
        s.hmp.thaw()
        s.panel.wait_for("room/r0/ack", "stop ok")

        def all_recording(_: object) -> bool:
            states = (s.panel.newest(f"room/r{n}/state") for n in range(1, ROOMS))
            return all(state == "recording" for state in states)

        s.panel.wait_until(all_recording, "199 rooms recording")
        assert len(s.hmp.recordings("RECORDING")) == ROOMS - 1
        assert len(s.hmp.commands("startRecording")) == ROOMS
        assert tap.most_in_flight == 1
        assert s.hmp.do("snapshot")["accepted"] == 1
        sent = [wire.line.split()[0] for wire in tap.wires if wire.direction == ">"]
        stop = sent.index("stopRecording")
        # The room's own, the one that was in flight, and maybe one whose turn came while the stop,
        # which shows at the panel before it waits for HMP, was on its way into the queue.
        assert sent[:stop].count("startRecording") <= 3
        assert sent[stop:].count("startRecording") >= ROOMS - 3
    s.daemon.close()


def malformed(room: str, number: int) -> tuple[str, bytes | str]:
    """One of all the ways to be wrong."""
    chance = random.Random(number)
    ways: list[tuple[str, bytes | str]] = [
        ("set", ""),
        ("set", "explode"),
        ("set", b"\xff\xfe" + chance.randbytes(20)),
        ("set", '{"action":'),
        ("set", '{"action": 7, "id": "x"}'),
        ("set", '{"action": "record", "id": {"no": "id"}}'),
        ("set", '{"action": "record", "volume": 11}'),
        ("set", "[" * 5000),
        ("set", '{"a":' * 5000),
        ("set", "record\nstop"),
        ("set", "x" * 70_000),
        ("press/record", "maybe"),
        ("press/explode", "true"),
        ("press/mark", '{"action": "stop"}'),
        ("mark", "a\x00b"),
        ("mark", "m" * 5000),
        ("mark", b"\x80"),
        ("event", ""),
        ("event", "fire"),
        ("event", '{"event": null}'),
        ("event", '{"event": "meeting_end", "id": [1]}'),
        ("set", json.dumps({"action": "adopt", "recording_id": "x\nstopRecording y"})),
    ]
    leaf, payload = ways[number % len(ways)]
    return f"room/{room}/{leaf}", payload


def stands_for(answer: Seen) -> int:
    """The number of messages that an answer is about."""
    counted = re.match(
        r"([0-9,]+) more messages on ", json.loads(answer.payload)["error"]["message"]
    )
    return 1 if counted is None else int(counted[1].replace(",", ""))


def test_malformed_everything(site: MakeSite) -> None:
    """Six thousand of them: answered one by one or counted (R28), nothing done, no memory kept."""
    s = site()
    panel = s.panel
    rooms = ("r0", "nowhere")

    def flood(numbers: range) -> None:
        since = panel.mark()
        panel.publish_many([malformed(rooms[n % 40 == 0], n) for n in numbers])

        def all_told(seen: list[Seen]) -> list[Seen]:
            answers = [each for each in seen if each.topic.endswith(ANSWERS)]
            return answers if sum(map(stands_for, answers)) >= len(numbers) else []

        answered = panel.wait_until(all_told, "a word about every message", since=since)
        assert sum(map(stands_for, answered)) == len(numbers)
        for message in answered:
            result = json.loads(message.payload)
            assert result["outcome"] == "failed"
            assert result["error"]["explanation"]
            assert len(message.payload) < 1500

    flood(range(3000))
    before, after = s.daemon.resident_kilobytes(), []
    for first in (3000, 4000, 5000):  # of which some is under way, or is garbage, at any moment
        flood(range(first, first + 1000))
        after.append(s.daemon.resident_kilobytes())
    assert min(after) - before < 4096
    assert panel.payloads("room/r0/state") == ["idle"]
    assert s.hmp.recordings() == []
    assert {entry["line"].split()[0] for entry in s.hmp.commands()} == {"getRecordingStatus"}
    assert "Traceback" not in s.daemon.output
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
