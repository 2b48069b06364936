"""Every room pressed at once, on one HMP that takes its time."""

import socket
import time
from collections.abc import Sequence

from .figures import Figure, Sample
from .stage import Hmp, Options, Stage, stage

__all__ = ["burst"]

_ANSWER = 0.005


def burst(options: Options) -> Sequence[Figure]:
    """N rooms pressed at once on an HMP that answers in 5 ms, and a stop in the middle of it."""
    figures: list[Figure] = []
    for rooms in sorted({options.rooms(200), options.rooms(1000)}):
        figures += _of(rooms, options)
    return figures


def _of(rooms: int, options: Options) -> Sequence[Figure]:
    last, floor, waited = Sample(), Sample(), Sample()
    for _ in range(max(1, options.repetitions // 2) if rooms > 200 else options.repetitions):
        with stage(options, Stage.on_two_cores) as made:
            hmp = made.hmp()
            broker = made.broker()
            made.daemon(broker, hmp, rooms=rooms)
            hmp.delay(_ANSWER)
            floor.add(rooms * _one_answer(hmp))
            hmp.log()
            states = made.panel(broker, "hmp/room/+/state")
            states.settle()
            left = {f"hmp/room/r{number}/state" for number in range(rooms)}
            halfway, stopped = rooms // 2, 0.0
            first = ""
            pressed = time.monotonic()
            states.publish((f"hmp/room/r{n}/press/record", "true") for n in range(rooms))
            while left:
                new = {topic for topic, payload in states.receive() if payload == "recording"}
                first = first or next(iter(new), "")
                left -= new
                if not stopped and len(left) <= halfway:
                    stopped = time.monotonic()
                    states.publish([(first.removesuffix("state") + "press/stop", "true")])
            last.add(time.monotonic() - pressed)
            waited.add(_answers_until_stop(hmp, stopped))
    ideal = rooms * _ANSWER
    return [
        Figure(
            f"{rooms} rooms: the last one is recording",
            last,
            "s",
            floor.median,
            "bare socket",
            f"≤ 1.1 x {rooms} x 5 ms",
            last.median <= 1.1 * ideal,
        ),
        Figure(f"{rooms} commands over a bare socket", floor, "s", ideal, f"{rooms} x 5 ms"),
        Figure(
            f"{rooms} rooms: a stop in the middle goes out",
            waited,
            "answers later",
            target="≤ 3",
            met=max(waited.values) <= 3,
        ),
    ]


def _one_answer(hmp: Hmp, times: int = 100) -> float:
    """Seconds that HMP really takes for an answer."""
    with socket.create_connection(("127.0.0.1", hmp.port)) as connection:
        began = time.monotonic()
        for _ in range(times):
            connection.sendall(b"getRecordingStatus x\n")
            connection.recv(4096)
        return (time.monotonic() - began) / times


def _answers_until_stop(hmp: Hmp, pressed: float) -> float:
    log = hmp.log()
    while not any(name == "stopRecording" for _, _, name in log):
        time.sleep(_ANSWER)
        log += hmp.log()
    received = next(received for received, _, name in log if name == "stopRecording")
    return sum(pressed < answered <= received for _, answered, _ in log)
