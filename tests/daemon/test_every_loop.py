"""Every task of a daemon that runs is watched, or it is said here why it need not be (R29)."""

from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import trio

from bridge.config.configuration import Configuration
from bridge.daemon.app import Bridge
from bridge.daemon.parts import Parts
from bridge.hmp.link import LinkState
from bridge.journal.file import FileStore
from bridge.journal.journal import Journal
from bridge.mqtt.broker_health import BrokerState
from tests.brokers import Broker
from tests.process.daemon import configuration
from tests.process.freezer import tasks
from tests.process.hmp import Hmp
from tests.process.watched import PATIENCE

WATCHED = {
    "bridge.api.bridge_requests.BridgeRequests.run": "requests to the bridge",
    "bridge.api.ledger.Ledger.run": "requests to main",
    "bridge.api.request_queue.RequestQueue._expire": "requests to main",
    "bridge.api.request_queue.RequestQueue.run": "requests to main",
    "bridge.daemon.contact.Contact.keep_up": "contact",
    "bridge.daemon.home_assistant.HomeAssistant._answer_births": "home assistant",
    "bridge.daemon.home_assistant.HomeAssistant.run": "home assistant",
    "bridge.daemon.manifest.Manifest.run": "manifest",
    "bridge.daemon.reload.Reloader.run": "reload",
    "bridge.daemon.rivals.Rivals.leave_to_an_earlier_one": "rivals",
    "bridge.daemon.self_report.SelfReport.run": "health report",
    "bridge.hmp.client.ServerLink._probe_when_silent": "server main",
    "bridge.hmp.client.ServerLink._read": "server main",
    "bridge.intake.dispatch.Dispatcher._act_on_held": "held presses",
    "bridge.intake.dispatch.Dispatcher.run": "dispatcher",
    "bridge.logs.log.tell_repeats": "repeated lines",
    "bridge.mqtt.acknowledgements.Acknowledgements.run": "acknowledgements",
    "bridge.mqtt.link.BrokerLink.run": "publications",
    "bridge.mqtt.own_topics.OwnTopics.keep": "own topics",
    "bridge.mqtt.paho_loop.PahoLoop._keep_alive": "broker link",
    "bridge.mqtt.session.Session.run": "broker link",
    "bridge.mqtt.subscriptions.Subscriptions.keep": "subscriptions",
    "bridge.room.writings.Writings.run": "room r0",
    "bridge.web.feed.Feed.run": "web feed",
    "trio._highlevel_serve_listeners._serve_one_listener": "web listeners",
}
"""By task, the name of the promise that is long past when it is stuck."""

LETS_OTHERS_RUN = "it waits for tasks that it has started"
NOT_WATCHED = {
    "bridge.api.command_requests.CommandRequests.run": LETS_OTHERS_RUN,
    "bridge.api.service.Api.run": LETS_OTHERS_RUN,
    "bridge.daemon.app.Bridge.run": LETS_OTHERS_RUN,
    "bridge.daemon.web.Web.run": LETS_OTHERS_RUN,
    "bridge.hmp.client.ServerLink._serve": LETS_OTHERS_RUN,
    "bridge.web.listening.Listener.serve": LETS_OTHERS_RUN,
    "bridge.web.listening._kept": LETS_OTHERS_RUN,
    "bridge.process.lifetime.Lifetime.of": "it runs a room, a server, or its requests, watched so",
    "bridge.daemon.watchdog.Watchdog.run": "it is what feeds: stuck, it feeds nothing",
    "bridge.hmp.wire.Wire.run": "what it does not write is not answered within its time",
    "bridge.mqtt.paho_loop.PahoLoop._write": "nor is a PINGREQ that it does not write",
    "bridge.mqtt.renewal.keep_renewed": "its thread may hang in a file system; health tells of it",
    "bridge.intake.admission.Admission.tell_unanswered": "nothing waits for its word, the last too",
}
"""By task, why it promises nothing."""


def names(before: Collection[str] = ()) -> set[str]:
    return {task.name for task in tasks(trio.lowlevel.current_root_task())}.difference(before)


async def test_every_task_is_watched_or_need_not_be(tmp_path: Path, broker: Broker) -> None:
    with closing(Hmp(tmp_path, 1)) as hmp, closing(Journal(FileStore(tmp_path))) as journal:
        tables = configuration(
            broker_port=broker.port, hmp_port=hmp.port, base_topic="tasks/hmp", rooms=1
        )
        tables["web"] = {"listen": "127.0.0.1:0"}
        settings = Configuration.model_validate(tables)
        parts = Parts(settings, "x", journal, lambda: settings)
        bridge = Bridge(parts)
        async with trio.open_nursery() as nursery:
            before = names()
            nursery.start_soon(bridge.run)
            with trio.fail_after(PATIENCE):
                while not (
                    parts.broker.state is BrokerState.ONLINE
                    and parts.links["main"].state is LinkState.READY
                    and names(before) >= WATCHED.keys()
                ):
                    await trio.lowlevel.checkpoint()
            running = names(before)
            watched = parts.watchdog.loops
            bridge.stop()
    assert running - WATCHED.keys() <= NOT_WATCHED.keys()
    assert watched >= set(WATCHED.values())
