"""Several brokers that share nothing: one is killed, and the next one takes its place."""

import json
import signal
from contextlib import ExitStack, closing

import pytest

from bridge.cli.options import ExitCode
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions

from .cutter import Cutter
from .panel import Panel
from .programs import run_bridge
from .site import MakeSite, Site


def on_both(site: MakeSite, first: Broker, second: Broker, port: int = 0, **how: object) -> Site:
    """A site whose bridge has two brokers; the first one is reached at `port`."""
    hosts = [f"127.0.0.1:{port or first.port}", f"127.0.0.1:{second.port}"]
    return site(broker=first, mqtt={"host": hosts}, **how)


def test_a_node_dies_in_every_phase(site: MakeSite, launch: Launch, stack: ExitStack) -> None:
    first, second = launch(), launch()
    s = on_both(site, first, second, rooms=3)
    panel = stack.enter_context(closing(Panel(second.port, s.base)))
    s.panel.press("r0", "record")
    s.panel.press("r2", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.panel.wait_for("room/r2/ack", "record ok")
    s.hmp.freeze()
    s.panel.publish_many([("room/r1/press/record", "true"), ("room/r2/press/stop", "true")])
    s.panel.wait_for("room/r1/state", "starting")
    s.panel.wait_for("room/r2/state", "stopping")
    first.kill()
    panel.wait_for("bridge/state", "online")
    s.hmp.thaw()
    # What was asked for at the one is answered at the other.
    panel.wait_for("room/r1/ack", "record ok")
    panel.wait_for("room/r2/ack", "stop ok")
    for room, state in (("r0", "recording"), ("r1", "recording"), ("r2", "idle")):
        panel.wait_for_newest(f"room/{room}/state", state)
    assert len(s.hmp.commands("startRecording")) == 3
    assert len(s.hmp.commands("stopRecording")) == 1

    first.start()
    mark = panel.mark()
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok", since=mark)
    health = panel.wait_for("bridge/health", since=mark)
    assert json.loads(health.payload)["broker"]["address"] == f"127.0.0.1:{second.port}"
    mark = s.panel.mark()
    second.kill()
    s.panel.wait_for("bridge/state", "online", since=mark)
    s.panel.wait_for_newest("room/r0/state", "idle")
    mark = s.panel.mark()
    s.panel.press("r1", "stop")
    s.panel.wait_for("room/r1/ack", "stop ok", since=mark)
    assert s.hmp.recordings("RECORDING") == []


@pytest.mark.mqtt5
def test_what_each_broker_has_kept_is_known_by_its_own_packet_ids(
    site: MakeSite, launch: Launch, stack: ExitStack
) -> None:
    """A toggle whose acknowledgement was lost does not happen again where it comes again."""
    first, second = launch(BrokerOptions(persistence=True)), launch()
    line = stack.enter_context(closing(Cutter(first.port)))
    s = on_both(site, first, second, port=line.port)
    panel = stack.enter_context(closing(Panel(second.port, s.base)))
    line.arm_acknowledgement(f"{s.base}/room/r0/press/toggle", lambda: None)
    s.panel.publish("room/r0/press/toggle", "true")
    panel.wait_for("bridge/state", "online")
    panel.wait_for_newest("room/r0/state", "recording")
    # The second one numbers its packets from the beginning, too.
    for _ in range(3):
        mark = panel.mark()
        panel.publish("room/r1/press/toggle", "true")
        panel.wait_for("room/r1/ack", "toggle ok", since=mark)
    s.daemon.stop(signal.SIGKILL)
    second.kill()
    mark = s.panel.mark()
    s.add_daemon(state=s.daemon.state)
    s.panel.wait_for("bridge/state", "online", since=mark)
    s.daemon.wait_for_line("redelivered message was carried out before")
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ignored", since=mark)
    assert len(s.hmp.commands("startRecording")) == 3
    assert s.hmp.commands("stopRecording") != []


@pytest.mark.mqtt5
def test_a_session_is_still_known_once_its_broker_is_the_only_one(
    site: MakeSite, launch: Launch, stack: ExitStack
) -> None:
    """A toggle that one of two brokers delivers again, when the other is configured no more."""
    first, second = launch(), launch()
    line = stack.enter_context(closing(Cutter(second.port)))
    s = site(broker=first, mqtt={"host": [f"127.0.0.1:{first.port}", f"127.0.0.1:{line.port}"]})
    panel = stack.enter_context(closing(Panel(second.port, s.base)))
    first.kill()
    panel.wait_for("bridge/state", "online")

    def kill() -> None:
        s.daemon.stop(signal.SIGKILL)

    line.arm_acknowledgement(f"{s.base}/room/r0/press/toggle", kill)
    panel.publish("room/r0/press/toggle", "true")
    panel.wait_for("bridge/state", "offline")
    mark = panel.mark()
    s.tables["mqtt"] = s.tables["mqtt"] | {"host": [f"127.0.0.1:{line.port}"]}
    s.add_daemon(state=s.daemon.state)
    panel.wait_for("bridge/state", "online", since=mark)
    s.daemon.wait_for_line("redelivered message was carried out before")
    assert s.hmp.commands("stopRecording") == []


@pytest.mark.mqtt5
def test_what_has_waited_at_a_broker_is_as_old_as_the_contact_with_that_one(
    site: MakeSite, launch: Launch, stack: ExitStack
) -> None:
    first, second = launch(BrokerOptions(persistence=True)), launch()
    s = on_both(site, first, second, rooms=2, start=False)
    s.tables["rooms"]["r1"]["action_ttl"] = "2s"
    s.add_daemon()
    s.wait_ready()
    panel = stack.enter_context(closing(Panel(second.port, s.base)))
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    first.stop()
    panel.wait_for("bridge/state", "online")
    first.start()
    s.panel.wait_subscribed(2)
    s.panel.publish_many([("room/r1/press/record", "true"), ("room/r0/press/stop", "true")])
    since = panel.mark()
    panel.wait_until(
        lambda seen: sum(each.topic.endswith("bridge/health") for each in seen) > 3,
        "three seconds of this one",
        since=since,
    )
    second.kill()
    s.panel.wait_for("room/r1/ack", "record expired")
    s.panel.wait_for("room/r0/ack", "stop ok")
    assert len(s.hmp.commands("startRecording")) == 1


@pytest.mark.mqtt5
def test_all_of_them_are_checked_and_cleaned(
    site: MakeSite, launch: Launch, stack: ExitStack
) -> None:
    first, second = launch(), launch()
    s = on_both(site, first, second)
    first.stop()
    panel = stack.enter_context(closing(Panel(second.port, s.base)))
    panel.wait_for("bridge/state", "online")
    checked = run_bridge("check", "--config", str(s.daemon.file), "--live")
    assert f"FAIL  broker 127.0.0.1:{first.port}: " in checked.stdout
    assert f"pass  broker 127.0.0.1:{second.port}: reached, MQTT 5" in checked.stdout
    assert checked.returncode == ExitCode.UNAVAILABLE
    first.start()
    assert s.daemon.stop() == 0
    cleaned = run_bridge("clean", "--config", str(s.daemon.file))
    assert cleaned.returncode == ExitCode.OK
    assert f"emptied {s.base}/room/r0/state" in cleaned.stdout
    for broker in (first, second):
        with closing(Panel(broker.port, s.base)) as late:
            late.publish("echo", "x")
            late.wait_for("echo", "x")
            assert [seen.topic for seen in late.seen.since() if seen.retained] == []
