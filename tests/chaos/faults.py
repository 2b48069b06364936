"""Carrying out what a plan says: presses, and every fault with its own undoing."""

import json
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from tests.cluster.relay import Relay

from .hmp_proxy import Arm
from .mqtt_proxy import Trigger
from .panel import Press
from .plan import LEADER, Fault, Plan, Tap
from .site import BASE, HMP_BRIDGE, Site

__all__ = ["FAULTS", "adopt", "carry_out"]

_CHANGES_HANDS: Final = 15.0
"""Seconds after which nobody waits for another box to lead any more."""


async def carry_out(site: Site, plan: Plan) -> None:
    """Do everything in the plan at its time; returns when every fault with an end has ended."""
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for operation in plan.operations:
            await trio.sleep_until(began + operation.at)
            match operation.what:
                case Tap() as tap:
                    await _tap(site, tap)
                case Fault() as fault:
                    nursery.start_soon(FAULTS[fault.kind], site, fault)


async def adopt(site: Site, press_id: str, room: str, recording_id: str) -> None:
    """Hand a recording to its room, as somebody does who has looked into HMP's web pages."""
    press = Press(press_id, room, "adopt", time.time())
    wanted = {"id": press_id, "action": "adopt", "recording_id": recording_id}
    await site.panel.press(press, f"{BASE}/room/{room}/set", json.dumps(wanted).encode())


async def _tap(site: Site, tap: Tap) -> None:
    """A press; left out while the broker is away."""
    press = Press(tap.id, tap.room, tap.action, time.time())
    if tap.by_button:
        topic, payload = f"{BASE}/room/{tap.room}/press/{tap.action}", {"id": tap.id}
    else:
        topic, payload = f"{BASE}/room/{tap.room}/set", {"id": tap.id, "action": tap.action}
    await site.panel.press(press, topic, json.dumps(payload).encode())


async def _kill(site: Site, fault: Fault) -> None:
    site.box(fault.box).daemon.kill("kill", pause=fault.value)


async def _kill_in_turn(site: Site, fault: Fault) -> None:
    """The box that leads, and the one that leads after it."""
    first = site.box(LEADER)
    if not first.daemon.kill(fault.kind):
        return
    with trio.move_on_after(_CHANGES_HANDS):
        while site.box(LEADER) is first:  # noqa: ASYNC110 - another process becomes the leader
            await trio.sleep(0.02)
        await trio.sleep(fault.value)
        site.box(LEADER).daemon.kill(fault.kind)


async def _yield(site: Site, fault: Fault) -> None:
    """As somebody asks for it; refused where nobody is ready."""
    site.happened(fault.kind)
    with trio.move_on_after(_CHANGES_HANDS):
        await trio.run_process(
            [HMP_BRIDGE, "yield", "--config", str(site.box(fault.box).daemon.configuration)],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )


async def _store_kill(site: Site, fault: Fault) -> None:
    assert site.store is not None
    site.happened(fault.kind)
    await site.store.kill()
    await trio.sleep(fault.value)
    await site.store.start()


def _way_to_store(site: Site, fault: Fault) -> Relay:
    """That of the box which the fault happens to."""
    way = site.box(fault.box).to_store
    assert way is not None
    site.happened(fault.kind)
    return way


async def _store_cut(site: Site, fault: Fault) -> None:
    way = _way_to_store(site, fault)
    way.refuse(True)
    way.cut()
    await trio.sleep(fault.value)
    way.refuse(False)


async def _store_silence(site: Site, fault: Fault) -> None:
    """What is asked comes late, also after the lease has run out and another box leads."""
    way = _way_to_store(site, fault)
    way.silence(True)
    await trio.sleep(fault.value)
    way.silence(False)


async def _store_deaf(site: Site, fault: Fault) -> None:
    """What is asked is done, and the answer is lost."""
    way = _way_to_store(site, fault)
    way.answers = 0
    await trio.sleep(fault.value)
    way.answers = math.inf
    way.cut()


async def _arm(site: Site, fault: Fault) -> None:
    assert isinstance(fault.how, Arm)
    site.box(fault.box).to_hmps[fault.target].arm(fault.how)


async def _trigger(site: Site, fault: Fault) -> None:
    assert isinstance(fault.how, Trigger)
    site.box(fault.box).to_broker.arm(fault.how)


async def _freeze(site: Site, fault: Fault) -> None:
    daemon = site.box(fault.box).daemon
    if daemon.freeze(fault.kind):
        await trio.sleep(fault.value)
        daemon.thaw()


async def _terminate(site: Site, fault: Fault) -> None:
    daemon = site.box(fault.box).daemon
    if daemon.terminate():
        await daemon.see_terminated()


async def _mqtt_cut(site: Site, fault: Fault) -> None:
    if site.box(fault.box).to_broker.cut():
        site.happened(fault.kind)


async def _mqtt_refuse(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    way = site.box(fault.box).to_broker
    way.refuse(True)
    way.cut()
    await trio.sleep(fault.value)
    way.refuse(False)


async def _mqtt_silence(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    way = site.box(fault.box).to_broker
    way.silence(True)
    await trio.sleep(fault.value)
    way.silence(False)


async def _mqtt_delay(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    way = site.box(fault.box).to_broker
    way.delay = fault.value / 10
    await trio.sleep(1.0)
    way.delay = 0.0


async def _mqtt_split(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    way = site.box(fault.box).to_broker
    way.split = True
    await trio.sleep(fault.value)
    way.split = False


async def _hmp_cut(site: Site, fault: Fault) -> None:
    if site.box(fault.box).to_hmps[fault.target].cut():
        site.happened(fault.kind)


async def _hmp_refuse(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    proxy = site.box(fault.box).to_hmps[fault.target]
    proxy.refuse(True)
    proxy.cut()
    await trio.sleep(fault.value)
    proxy.refuse(False)


async def _hmp_silence(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    proxy = site.box(fault.box).to_hmps[fault.target]
    proxy.silence(True)
    await trio.sleep(fault.value)
    proxy.silence(False)


async def _hmp_fault(site: Site, fault: Fault) -> None:
    site.happened(f"hmp_{str(fault.how).partition(':')[0]}")
    await site.hmps[fault.target].do("fault", fault=fault.how)


async def _hmp_restart(site: Site, fault: Fault) -> None:
    site.happened(f"hmp_restart_{fault.how}")
    hmp = site.hmps[fault.target]
    await hmp.do("restart", down=fault.value, unready=fault.value / 2, recordings=fault.how)


async def _hmp_api_off(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    await site.hmps[fault.target].do("api", enabled=False)
    await trio.sleep(fault.value)
    await site.hmps[fault.target].do("api", enabled=True)


async def _hmp_deny(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    await site.hmps[fault.target].do("deny", address="*")
    await trio.sleep(fault.value)
    await site.hmps[fault.target].do("allow", address="*")


async def _web(site: Site, fault: Fault) -> None:
    """Somebody in HMP's web pages, with one of the recordings that are active."""
    hmp = site.hmps[fault.target]
    active = [each for each in await hmp.recordings() if each["state"] in ("RECORDING", "PAUSED")]
    if not active:
        return
    recording = active[int(fault.value * len(active))]
    answer = await hmp.ask(str(fault.how), recording=recording["id"])
    if answer.get("ok"):
        site.happened(f"web_{fault.how}")
        if fault.how == "stop" and site.forgets_what_ended(fault.target):
            site.losses[recording["session"]] += 1


async def _broker_restart(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    await site.broker.terminate()
    await trio.sleep(fault.value)
    await site.broker.start()


async def _broker_kill(site: Site, fault: Fault) -> None:
    site.happened(fault.kind)
    await site.broker.kill(keep_store=fault.kind == "broker_kill")
    site.broker_lost(store=fault.kind == "broker_store_lost")
    await trio.sleep(fault.value)
    await site.broker.start()


FAULTS: Final[dict[str, Callable[[Site, Fault], Awaitable[None]]]] = {
    "kill": _kill,
    "terminate": _terminate,
    "arm": _arm,
    "trigger": _trigger,
    "freeze": _freeze,
    "mqtt_cut": _mqtt_cut,
    "mqtt_refuse": _mqtt_refuse,
    "mqtt_silence": _mqtt_silence,
    "mqtt_delay": _mqtt_delay,
    "mqtt_split": _mqtt_split,
    "hmp_cut": _hmp_cut,
    "hmp_refuse": _hmp_refuse,
    "hmp_silence": _hmp_silence,
    "hmp_fault": _hmp_fault,
    "hmp_restart": _hmp_restart,
    "hmp_api_off": _hmp_api_off,
    "hmp_deny": _hmp_deny,
    "web": _web,
    "broker_restart": _broker_restart,
    "broker_kill": _broker_kill,
    "broker_store_lost": _broker_kill,
    "kill_in_turn": _kill_in_turn,
    "pause": _freeze,
    "yield": _yield,
    "store_kill": _store_kill,
    "store_cut": _store_cut,
    "store_silence": _store_silence,
    "store_deaf": _store_deaf,
}
"""How each kind of a plan's faults is carried out."""
