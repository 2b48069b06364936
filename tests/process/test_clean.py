"""`hmp-bridge clean`: what is ours is gone, what only looks like it stays."""

import json
from contextlib import ExitStack, closing

from bridge.cli.options import ExitCode
from tests.homeassistant.accepted import complaints_about

from .panel import Panel
from .programs import run_bridge
from .site import MakeSite, Site


def retained(site: Site, above: str) -> dict[str, str]:
    """What somebody is sent who comes now, below the site's first level."""
    with closing(Panel(site.broker.port, above)) as late:
        late.publish("echo", "x")  # behind everything that is retained
        late.wait_for("echo", "x")
        return {seen.topic: seen.payload for seen in late.seen.since() if seen.retained}


def test_nothing_of_ours_is_left_and_all_of_others(site: MakeSite, stack: ExitStack) -> None:
    made = site(2, start=False)
    above = made.base.partition("/")[0]
    made.tables["homeassistant"] = {
        "enabled": True,
        "discovery_prefix": f"{above}/ha",
        "status_topic": f"{above}/ha/status",
        "all_rooms": True,
    }
    everything = stack.enter_context(closing(Panel(made.broker.port, above)))
    made.add_daemon()
    made.wait_ready()
    made.panel.wait_for("bridge/rooms_recording", "0")
    made.panel.publish("room/r0/set", "record")
    made.panel.wait_for("room/r0/happened", "recording_started")
    made.panel.wait_for("bridge/rooms_recording", "1")
    devices = {t: p for t, p in retained(made, above).items() if t.startswith(f"{above}/ha/")}
    assert len(devices) == 5
    assert [each for each in devices.values() if complaints_about(json.loads(each))] == []
    # Others have what looks like ours, beside it and below our own topics.
    [device] = [topic for topic in devices if topic.endswith("/room-r0/config")]
    look_alikes = {
        device.replace("/room-r0/", "/room-r9/"): "{}",
        device.replace("/device/", "/switch/"): "{}",
        f"{made.base}/room/r9/state": "idle",
        f"{made.base}/room/r0/note": "ours is not this",
        f"{above}/hmp2/bridge/info": "{}",
    }
    for topic, payload in look_alikes.items():
        everything.publish(topic.removeprefix(f"{above}/"), payload, retain=True)
    # Home Assistant starts: all of it comes once more, devices first.
    mark = len(everything.seen)
    everything.publish("ha/status", "online")
    for room in ("r0", "r1"):
        everything.wait_for(f"hmp/room/{room}/status", since=mark)
    again = [seen.topic for seen in everything.seen.since(mark) if seen.topic != f"{above}/echo"]
    order = [topic for topic in again if topic in devices or topic.endswith("/bridge/state")]
    assert order[: len(devices)] == list(dict.fromkeys(order[: len(devices)]))
    assert set(order[: len(devices)]) == set(devices)
    assert again.index(f"{made.base}/bridge/state") < again.index(f"{made.base}/room/r0/state")
    # Stopped all together, by the button.
    made.panel.publish("room/ALL/set", "stop")
    made.panel.wait_for("room/r0/happened", "recording_stopped")
    assert {each["outcome"] for each in made.panel.wait_for_results("r1", 1)} == {"ignored"}
    # While the bridge runs nothing is touched.
    config = ("--config", str(made.daemon.file))
    refused = run_bridge("clean", *config)
    assert refused.returncode == ExitCode.UNAVAILABLE
    assert refused.stdout == ""
    assert made.daemon.stop() == 0
    before = retained(made, above)
    said = run_bridge("clean", "--dry-run", *config)
    assert said.returncode == 0, said.stderr
    would = [line.removeprefix("would empty ") for line in said.stdout.splitlines()]
    assert retained(made, above) == before
    assert set(would) == set(before) - set(look_alikes)
    assert run_bridge("clean", *config).stdout.splitlines() == [f"emptied {each}" for each in would]
    assert retained(made, above) == look_alikes
    nothing = run_bridge("clean", *config)
    assert (nothing.returncode, "nothing of this bridge" in nothing.stdout) == (0, True)


def test_a_birth_of_long_ago_is_none_over_mqtt_3_1_1(site: MakeSite, stack: ExitStack) -> None:
    """The broker delivers what it retains with the subscription, and says that it is retained."""
    made = site(2, start=False)
    above = made.base.partition("/")[0]
    status = f"{above}/ha/status"
    made.tables["mqtt"]["protocol"] = "3.1.1"
    made.tables["homeassistant"] = {
        "enabled": True,
        "discovery_prefix": f"{above}/ha",
        "status_topic": status,
    }
    everything = stack.enter_context(closing(Panel(made.broker.port, above)))
    everything.publish("ha/status", "online", retain=True)
    made.add_daemon()
    made.wait_ready()
    mark = len(everything.seen)
    # Live it is one, also where it is published retained; were the first taken for one, this would
    # be the second.
    everything.publish("ha/status", "online", retain=True)
    everything.wait_for("ha/device/" + device_of(made, "r0"), since=mark)
    made.daemon.wait_for_line("home assistant has started")
    assert len(made.daemon.lines_with("home assistant has started")) == 1


def device_of(made: Site, room: str) -> str:
    """The end of the topic on which a room is announced."""
    [topic] = [
        topic
        for topic in retained(made, made.base.partition("/")[0])
        if topic.endswith(f"/room-{room}/config")
    ]
    return topic.partition("/ha/device/")[2]
