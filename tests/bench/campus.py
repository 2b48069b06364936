"""Thousands of rooms at eight HMPs: one bridge has them all, or two or four share them.

A burst is one `record` in every room at once; the rate is sustained as in `throughput`. On one
mosquitto, or on three NATS that are one broker: the bridges are at one node after the other, and
the panel at the last.
"""

import time
from collections.abc import Callable, Sequence

from tests.brokers import Broker
from tests.process.hmp import session_of

from .figures import Figure, Sample
from .processes import Process
from .stage import Hmp, Options, Stage, stage
from .throughput import Crowd

__all__ = ["campus", "campus_cluster"]

_ROOMS = 4000
_ROOMS_ON_A_CLUSTER = 400
"""Each filter is a consumer of three copies, which two cores carry for so many."""
_SERVERS = 8
_BRIDGES = (1, 2, 4)
_MOSQUITTO = ("set_tcp_nodelay true", "max_queued_messages 0")


def campus(options: Options) -> Sequence[Figure]:
    """4,000 rooms over 8 servers on one broker: 1, 2 and 4 bridges, nobody has a core alone."""
    return _compared(options, lambda made: [made.broker(*_MOSQUITTO)], _ROOMS)


def campus_cluster(options: Options) -> Sequence[Figure]:
    """400 rooms over 8 servers on three NATS, whose streams have three copies."""
    return _compared(options, Stage.nats, _ROOMS_ON_A_CLUSTER)


def _compared(
    options: Options, brokers: Callable[[Stage], Sequence[Broker]], rooms: int
) -> list[Figure]:
    figures: list[Figure] = []
    rooms = 2 * _SERVERS if options.brief else rooms
    for bridges in (1, 2) if options.brief else _BRIDGES:
        figures += _with(options, brokers, bridges, rooms)
    return figures


def _with(
    options: Options, brokers: Callable[[Stage], Sequence[Broker]], bridges: int, rooms: int
) -> list[Figure]:
    start, burst, rate, cost = Sample(), Sample(), Sample(), Sample()
    with stage(options, lambda _: None) as made:
        nodes = brokers(made)
        broker = nodes[-1]
        hmps = [made.hmp() for _ in range(_SERVERS)]
        base = "campus/hmp"
        began = time.monotonic()
        processes = _start(made, nodes, hmps, base=base, bridges=bridges, rooms=rooms)
        # A room's server, and so its bridge, is its number's remainder: the last ones are of each.
        for room in range(rooms - _SERVERS, rooms):
            made.wait_online(broker, base, room)
        start.add(time.monotonic() - began)
        began = time.monotonic()
        made.record(broker, base, rooms)
        burst.add(time.monotonic() - began)
        crowd = Crowd(made, broker, base, rooms)
        for _ in range(options.repetitions):
            spent, began = sum(each.cpu for each in processes), time.monotonic()
            rate.add(crowd.during(options.seconds))
            done = rate.values[-1] * (time.monotonic() - began)
            cost.add((sum(each.cpu for each in processes) - spent) / done * 1e6)
        memory = Sample([each.resident for each in processes])
    who = f"{bridges} bridge{'s' if bridges > 1 else ''}, {rooms} rooms"
    return [
        Figure(f"{who}: start to the last room online", start, "s"),
        Figure(f"{who}: a burst to the last room's state", burst, "s"),
        Figure(f"{who}: sustained", rate, "actions/s"),
        Figure(f"{who}: processor of all bridges, an action", cost, "µs"),
        Figure(f"{who}: resident, each bridge", memory, "MB"),
    ]


def _start(
    made: Stage,
    nodes: Sequence[Broker],
    hmps: Sequence[Hmp],
    *,
    base: str,
    bridges: int,
    rooms: int,
) -> list[Process]:
    names = [f"s{number}" for number in range(len(hmps))]
    processes = []
    for bridge in range(bridges):
        node = nodes[bridge % len(nodes)]
        tables = {
            "mqtt": {"host": "127.0.0.1", "port": node.port, "base_topic": base},
            "bridge": {"state_dir": str(made.disk()), "log_level": "warning"},
            "servers": {
                name: {"host": "127.0.0.1", "port": hmp.port}
                for name, hmp in zip(names, hmps, strict=True)
            },
            "rooms": {
                f"r{room}": {"server": names[room % len(names)], "session": session_of(room)}
                for room in range(rooms)
            },
        }
        own = ",".join(names[bridge::bridges])
        processes.append(made.run(tables, *(["--servers", own] if bridges > 1 else [])))
    return processes
