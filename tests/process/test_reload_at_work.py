"""Many reloads in a row, while people press buttons all the time."""

import json
import os
import random
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from bridge.journal.file import FileStore
from bridge.journal.journal import Journal

from .daemon import KEPT
from .hmp import session_of
from .panel import Panel
from .reloading import Reloading

RELOADS = int(os.environ.get("RELOADS", "120"))
"""How often in a row; as many as one likes, by hand."""


class Crowd:
    """People who press buttons all the time, and whose every press is to have one result.

    Presses for rooms that are gone are refused; of very many of these some are answered by their
    number alone (R28).
    """

    def __init__(self, panel: Panel, chance: random.Random) -> None:
        self._panel = panel
        self._chance = chance
        self.asked: list[str] = []
        self._results: dict[str, list[dict[str, Any]]] = {}
        self._looked_at = 0
        #: Presses that were refused without an answer each, as their number was told.
        self.counted = 0

    def press(self, rooms: Sequence[str], count: int, *words: str) -> None:
        """Press in some of the rooms."""
        messages: list[tuple[str, str | bytes]] = []
        for _ in range(count):
            self.asked.append(f"p{len(self.asked)}")
            action = {"action": self._chance.choice(words), "id": self.asked[-1]}
            messages.append((f"room/{self._chance.choice(rooms)}/set", json.dumps(action)))
        self._panel.publish_many(messages)

    def results(self) -> dict[str, list[dict[str, Any]]]:
        """What came of the presses, by id."""
        found = self._results
        for request_id in self.asked:
            found.setdefault(request_id, [])
        fresh = self._panel.seen.since(self._looked_at)
        self._looked_at += len(fresh)
        for seen in fresh:
            if seen.topic.endswith(("/result", "/response/error")):
                result = json.loads(seen.payload)
                if (result["error"] or {}).get("code") == "too_many_refused":
                    self.counted += int(result["error"]["message"].split()[0].replace(",", ""))
                else:
                    found[result["id"]].append(result)
        return found

    def _is_answered(self) -> bool:
        answered = [bool(each) for each in self.results().values()]
        return answered.count(False) == self.counted

    def wait_for_all(self) -> dict[str, list[dict[str, Any]]]:
        """Every press has a result or is counted; nobody waits for one that does not come."""
        self._panel.wait_until(lambda _: self._is_answered(), "all results")
        return {request_id: each for request_id, each in self.results().items() if each}


def changed_at_random(tables: dict[str, Any], chance: random.Random, base: str) -> None:
    """One thing that people change."""
    rooms = tables["rooms"]
    number = chance.choice((4, 5))
    passing = f"r{number}"
    match chance.randrange(6):
        case 0 | 1 | 2 if passing in rooms:
            del rooms[passing]
        case 0 | 1 | 2:
            rooms[passing] = {"server": "main", "session": session_of(number)} | KEPT
        case 3:
            name = chance.choice(list(rooms))
            rooms[name] |= {"name": f"Room {chance.random()}", "mark_title": "Here"}
        case 4:
            tables["servers"]["main"]["poll_interval"] = f"{chance.randrange(200, 400)}ms"
        case _:
            topics = [f"{base}/device{chance.randrange(3)}" for _ in range(3)]
            tables["bindings"] = [{"topic": each, "room": "r0", "do": "mark"} for each in topics]


def test_reloads_while_rooms_start_and_stop(reloading: Reloading) -> None:
    """No recording is lost, no result, no connection; what is retained is what there is."""
    r = reloading
    chance = random.Random(1)
    crowd = Crowd(r.panel, chance)
    base = r.panel.base.rpartition("/")[0]
    rooms = [f"r{number}" for number in range(6)]
    for number in (2, 3):
        r.add_room(number, **KEPT)
    applied = 0
    for number in range(RELOADS):
        before = json.loads(json.dumps(r.tables))
        changed_at_random(r.tables, chance, base)
        crowd.press(rooms, 4, "record", "stop", "pause", "toggle")
        by_signal = bool(number % 2)
        refused = "refused" in r.hang_up("reload-") if by_signal else r.reload()["outcome"] != "ok"
        applied += not refused
        r.tables = before if refused else r.tables
    assert applied > RELOADS / 2
    r.write()
    crowd.wait_for_all()
    for room in r.tables["rooms"]:
        crowd.press([room], 1, "stop")
    results = crowd.wait_for_all()
    assert {len(each) for each in results.values()} == {1}
    assert {each["outcome"] for [each] in results.values()} <= {"ok", "ignored", "failed"}
    r.hmp.wait_until(lambda hmp: not hmp.recordings("RECORDING", "PAUSED"), "no recording left")
    assert r.hmp.do("snapshot", log=0)["accepted"] == 1
    started = [each["answer"] for each in r.hmp.commands("startRecording")]
    assert len(started) > RELOADS / 10
    assert {f"OK|{each['id']}" for each in r.hmp.recordings("FINISHED")} == set(started)
    for room in r.tables["rooms"]:
        r.panel.wait_for_newest(f"room/{room}/state", "idle")
    retained = r.retained()
    assert {topic.split("/")[1] for topic in retained if topic.startswith("room/")} == set(
        r.tables["rooms"]
    )
    for topic, payload in retained.items():
        if topic.endswith("/status"):
            state = retained[topic.replace("status", "state")]
            assert json.loads(payload)["state"] == state == "idle"
    assert set(json.loads(retained["bridge/info"])["rooms"]) == set(r.tables["rooms"])
    assert r.site.daemon.stop() == 0
    assert "Traceback" not in r.site.daemon.output
    with closing(Journal(FileStore(r.site.daemon.state))) as journal:
        assert {name for name in journal.rooms() if "/" not in name} == set(r.tables["rooms"])
