"""What happens in a round: all choices of a run, made from its seed and nothing else.

A round is a list of operations with the second at which each is due. The same seed and number give
the same round; what the machine makes of it in time is its own.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from .hmp_proxy import ARMS, CHANGING, Arm
from .mqtt_proxy import TRIGGERS, Trigger

__all__ = ["LEADER", "Fault", "Operation", "Places", "Plan", "Style", "Tap", "make_plan"]

_ACTIONS: Final = {
    "record": 30,
    "stop": 20,
    "toggle": 14,
    "pause": 10,
    "resume": 9,
    "toggle_pause": 5,
    "mark": 12,
}

_CREATING: Final = frozenset({"startRecording"})
_ASKING: Final = frozenset({"getRecordingStatus"})
_LEAVES: Final = (b"/recording_id", b"/result", b"/status", b"/state", b"/ack")


_LONG_BEYOND: Final = 3.0
"""Times the lease's: another box leads by then, and has for long enough to be known to."""

LEADER: Final = "leader"
STANDBY: Final = "standby"


@dataclass(frozen=True, slots=True)
class Places:
    """What a plan is made for: rooms and servers by name; `ttl`: of a pair's lease, 0 without.

    `planted`: the fault of `planted.py` that the box which leads is to be brought to show.
    """

    rooms: tuple[str, ...]
    servers: tuple[str, ...]
    ttl: float = 0.0
    planted: str = ""


@dataclass(frozen=True, slots=True)
class Tap:
    """A press: `by_button` sends it on the button's own topic."""

    id: str
    room: str
    action: str
    by_button: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of this kind, what it is done to, for how long or how much, and how exactly.

    `box` is that of a pair which leads at that moment, or the other one.
    """

    kind: str
    target: str = ""
    value: float = 0.0
    how: Arm | Trigger | str | None = None
    box: str = LEADER


@dataclass(frozen=True, slots=True)
class Operation:
    """What is due at this second of the round."""

    at: float
    what: Tap | Fault


@dataclass(frozen=True, slots=True)
class Style:
    """How rough a round is: how many of each are planned, and which kinds."""

    name: str
    faults: int
    kills: int
    rare: bool


_STYLES: Final = {
    Style("kills", 11, 12, False): 45,
    Style("mixed", 19, 7, True): 40,
    Style("links", 28, 0, True): 15,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One round. `after`: what the operator does with recordings that nobody knows."""

    style: Style
    seconds: float
    operations: tuple[Operation, ...]
    after: Literal["stop", "adopt", "leave"]


def make_plan(seed: int, number: int, places: Places) -> Plan:
    """The round of this number, counted from 0."""
    chance = random.Random(f"{seed}/{number}")
    style = chance.choices(list(_STYLES), list(_STYLES.values()))[0]
    seconds = round(chance.uniform(8.0, 11.0), 2)
    taps = list(_taps(chance, f"{seed}-{number}", places, seconds))
    faults = [
        Operation(chance.uniform(0.2, seconds), _fault(chance, places, rare=style.rare))
        for _ in range(style.faults)
    ]
    kills = [
        Operation(chance.uniform(0.3, seconds), _kill(chance, places)) for _ in range(style.kills)
    ]
    if places.planted:
        faults, kills = list(_meeting(chance, places, seconds)), []
    elif places.ttl:
        faults, kills = _of_a_pair(f"{seed}/{number}/pair", [*faults, *kills], places, seconds)
    operations = sorted([*taps, *faults, *kills], key=lambda each: each.at)
    after: Literal["stop", "adopt", "leave"] = chance.choice(("stop", "stop", "adopt", "leave"))
    return Plan(style, seconds, tuple(operations), after)


def _meeting(chance: random.Random, places: Places, seconds: float) -> Iterator[Operation]:
    """What shows that the lease is not looked at, at whatever instant, and nothing beside it."""
    beyond = _LONG_BEYOND * places.ttl
    if places.planted == "commit":  # it is asked in time, and comes when another one leads
        yield Operation(chance.uniform(1.0, seconds / 2), Fault("store_silence", value=beyond))
        return
    for server in places.servers:  # others wait for the start that it was stopped after
        arm = Arm("stop_after_request", beyond, _CREATING)
        yield Operation(chance.uniform(0.5, seconds / 2), Fault("arm", server, how=arm))


def _of_a_pair(
    seed: str, others: list[Operation], places: Places, seconds: float
) -> tuple[list[Operation], list[Operation]]:
    """Every other one of the `others`, done to the one box or the other, and what only pairs have.

    A change of hands takes longer than a restart, and something is to happen between two.
    """
    chance = random.Random(seed)
    kept: list[Operation] = []
    for each in others[::2]:
        assert isinstance(each.what, Fault)
        box = chance.choices((LEADER, STANDBY), (4, 1))[0]
        kept.append(replace(each, what=replace(each.what, box=box)))
    own = [
        Operation(chance.uniform(0.2, seconds), _pair_fault(chance, places))
        for _ in range(chance.randint(2, 5))
    ]
    return kept, own


def _pair_fault(chance: random.Random, places: Places) -> Fault:
    box = chance.choices((LEADER, STANDBY), (3, 1))[0]
    beyond = places.ttl + chance.uniform(0.0, 2.5)
    match chance.randrange(9):
        case 0 | 1:
            return Fault("pause", value=beyond, box=box)
        case 2:
            arm = Arm("stop_after_request", beyond, chance.choice((_CREATING, CHANGING)))
            return Fault("arm", chance.choice(places.servers), how=arm)
        case 3:
            return Fault("kill_in_turn", value=chance.choice((0.0, chance.uniform(0.0, 1.0))))
        case 4:
            return Fault("yield", box=box)
        case 5:
            return Fault("store_kill", value=chance.choice((0.0, 1.0, beyond)))
        case 6:
            return Fault("store_cut", value=chance.choice((0.2, beyond)), box=box)
        case 7:
            return Fault("store_silence", value=chance.choice((0.2, beyond)), box=box)
        case _:
            return Fault("store_deaf", value=chance.choice((0.2, beyond)), box=box)


def _taps(chance: random.Random, prefix: str, places: Places, seconds: float) -> list[Operation]:
    """Single presses, bursts over several rooms, the same button hit twice, and last words."""
    actions, weights = list(_ACTIONS), list(_ACTIONS.values())
    rooms = places.rooms
    busy = chance.sample(rooms, chance.randint(max(1, len(rooms) // 2), len(rooms)))
    due = [
        (chance.uniform(0, seconds), chance.choice(busy), _draw(chance, actions, weights))
        for _ in range(int(seconds * 17))
    ]
    for _ in range(chance.randint(2, 4)):
        at, action = chance.uniform(0, seconds), chance.choice(("record", "stop", "toggle"))
        due += [(at + chance.uniform(0, 0.02), room, action) for room in busy]
    for _ in range(chance.randint(4, 10)):
        at, room = chance.uniform(0, seconds), chance.choice(busy)
        action = _draw(chance, actions, weights)
        due += [(at, room, action), (at + chance.uniform(0, 0.05), room, action)]
    # The last word of half of the rooms is a stop, so that a lost one has nothing to hide behind.
    due += [
        (seconds + chance.uniform(-1.0, 0.2), room, "stop")
        for room in busy
        if chance.random() < 0.5
    ]
    return [
        Operation(at, Tap(f"{prefix}-{index}", room, action, chance.random() < 0.2))
        for index, (at, room, action) in enumerate(sorted(due))
    ]


def _draw(chance: random.Random, actions: list[str], weights: list[int]) -> str:
    return chance.choices(actions, weights)[0]


def _kill(chance: random.Random, places: Places) -> Fault:
    """kill -9 of the daemon: at a random instant, or at a chosen one of an exchange."""
    server = chance.choice(places.servers)
    commands = chance.choice((_CREATING, _CREATING, CHANGING))
    match chance.randrange(6):
        case 0 | 1:
            return Fault("kill", value=chance.choice((0.0, 0.0, 0.0, 0.5, 2.0)))
        case 2:
            return Fault("arm", server, how=Arm("kill_before_request", 0, commands))
        case 3:
            return Fault("arm", server, how=Arm("kill_after_request", 0, commands))
        case 4:
            after = chance.choice((0.0, chance.uniform(0, 0.004), chance.uniform(0, 0.03)))
            return Fault("arm", server, how=Arm("kill_after_reply", after, commands))
        case _:
            kind = chance.choice(("kill_before_publish", "kill_after_publish"))
            delay = chance.choice((0.0, chance.uniform(0, 0.02)))
            return Fault("trigger", how=Trigger(kind, chance.choice(_LEAVES), delay))


def _fault(chance: random.Random, places: Places, *, rare: bool) -> Fault:
    """Anything but a kill of the daemon. `rare` allows what takes long to get over."""
    server = chance.choice(places.servers)
    draw = chance.random()
    if draw < 0.38:
        return Fault("arm", server, how=_arm(chance))
    if draw < 0.62:
        return _mqtt_fault(chance)
    if draw < 0.76:
        kind = chance.choice(("hmp_cut", "hmp_refuse", "hmp_silence"))
        return Fault(kind, server, chance.uniform(0.1, 2.5))
    if draw < 0.78:
        return Fault("terminate")
    if draw < 0.81:
        return Fault("freeze", value=chance.uniform(0.05, 2.0))
    if draw < 0.90:
        how = chance.choice(("stop", "pause", "resume", "pause", "fail"))
        return Fault("web", server, chance.random(), how)
    if draw < 0.96 or not rare:
        return _hmp_fault(chance, server)
    return _rare_fault(chance, server)


def _arm(chance: random.Random) -> Arm:
    kinds = [kind for kind in ARMS if not kind.startswith("kill")]
    kind = chance.choice(kinds)
    value = {
        "cut_in_reply": float(chance.randint(1, 38)),
        "delay_reply": chance.choice((0.1, 0.5, chance.uniform(0.8, 3.0), 2.5)),
        "stop_after_request": 0.4,
        "delay_request": chance.choice((0.1, 0.5, chance.uniform(0.8, 3.0))),
    }.get(kind, 0.0)
    if kind == "delay_reply" and chance.random() < 0.5:
        return Arm(kind, chance.uniform(1.1, 1.9), _ASKING)
    commands = chance.choice((_CREATING, CHANGING, CHANGING, frozenset[str]()))
    return Arm(kind, value, commands)


def _mqtt_fault(chance: random.Random) -> Fault:
    kinds = ("mqtt_cut", "mqtt_refuse", "mqtt_silence", "mqtt_delay", "mqtt_split", "trigger")
    kind = chance.choice(kinds)
    if kind == "trigger":
        cuts = [each for each in TRIGGERS if each.startswith("cut")]
        return Fault("trigger", how=Trigger(chance.choice(cuts), chance.choice(_LEAVES)))
    return Fault(kind, value=chance.uniform(0.05, 1.5))


def _hmp_fault(chance: random.Random, server: str) -> Fault:
    texts = (
        "disk_full:startRecording:count=1",
        "write_error:startRecording:count=1",
        f"recording_error:startRecording:{chance.uniform(0, 1.5):.2f}:count=1",
        f"error:*:070000:seconds={chance.uniform(0.3, 3):.2f}",
        "lose_reply:stopRecording:count=1",
        "lose_reply:startRecording:count=1",
        "garbage:getRecordingStatus:count=1",
        "garbage:getRecordingStatus:OK|FINALIZING:count=1",
        "error:getRecordingStatus:040001:count=1",
        "slow_reply:getRecordingStatus:1.5:count=1",
    )
    return Fault("hmp_fault", server, how=chance.choice(texts))


def _rare_fault(chance: random.Random, server: str) -> Fault:
    match chance.randrange(8):
        case 0 | 1:
            how = chance.choice(("keep", "keep", "forget", "error"))
            return Fault("hmp_restart", server, chance.uniform(0.1, 1.5), how)
        case 2:
            return Fault("hmp_api_off", server, chance.uniform(0.3, 2.0))
        case 3:
            return Fault("hmp_deny", server, chance.uniform(0.3, 1.0))
        case 4 | 5:
            return Fault("broker_restart", value=chance.uniform(0.0, 1.5))
        case 6:
            return Fault("broker_kill", value=chance.uniform(0.0, 1.5))
        case _:
            return Fault("broker_store_lost", value=chance.uniform(0.0, 1.0))
