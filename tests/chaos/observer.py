"""Collects what there is to compare: HMP's world, journal, retained topics, what panels heard."""

import json
import math
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import trio

from .gaps import Gaps
from .observation import Asked, Observation, Told, WorldRecording
from .panel import Heard, read_retained
from .site import BASE, TTL, Site
from .store import StoreAway

__all__ = ["Observer"]


@dataclass(slots=True)
class Observer:
    """Remembers over the whole run what must be remembered, and over a round what is of a round.

    `excused` counts the presses that the broker itself may have lost, or a box with its journal,
    and those that were set aside: their result has no id, for nobody looks into them (R27).
    """

    site: Site
    excused: int = 0
    _told: dict[str, list[Told]] = field(default_factory=dict)
    #: Unix time of each press's first result.
    _answered: dict[str, float] = field(default_factory=dict)
    #: By room: results of messages in whose handling two processes in a row were killed.
    _set_aside: dict[str, set[str]] = field(default_factory=dict)
    _published: dict[str, list[str]] = field(default_factory=dict)
    #: Unix time at which each of these was.
    _published_at: dict[str, float] = field(default_factory=dict)
    _sessions: dict[str, str] = field(default_factory=dict)
    _starts: Counter[str] = field(default_factory=Counter)
    _lost: set[str] = field(default_factory=set)
    _carried: Counter[str] = field(default_factory=Counter)
    _seen: list[tuple[str, str]] = field(default_factory=list)
    _retained: dict[str, str] = field(default_factory=dict)
    _alarms: dict[str, str] = field(default_factory=dict)
    _reported: dict[str, float] = field(default_factory=dict)
    _active_before: set[str] = field(default_factory=set)
    _gaps: Gaps = field(default_factory=lambda: Gaps(TTL))

    def unanswered(self) -> int:
        """How many presses of this round still have no result, as far as the panel has heard."""
        self._listen()
        told, asked = self._told, self._asked()
        return sum(not told.get(each.id) and each.acked and not each.excused for each in asked)

    async def observe(self) -> Observation | None:
        """Everything as it is now; None while the broker cannot be asked."""
        site = self.site
        try:
            retained = await read_retained(site.broker.port, f"{BASE}/#")
        except (OSError, trio.BrokenResourceError):
            return None
        self._retained = {key.removeprefix(f"{BASE}/"): value for key, value in retained.items()}
        self._listen()
        recordings = await self._ask_the_hmps()
        try:
            journal = await site.journal()
        except (sqlite3.Error, StoreAway) as error:
            journal = None
            self._seen.append(("journal_missing", f"cannot be read: {error}"))
        self._reported |= {
            room: time.time() for room, alarm in self._alarms.items() if alarm == "outcome_unknown"
        }
        self._seen += site.notice()
        interruptions = site.losses + Counter(self._sessions[each] for each in self._lost)
        return Observation(
            rooms=site.rooms,
            recordings=recordings,
            retained=self._retained,
            journal=journal,
            journalled=site.journalled,
            published=self._published,
            unwritten=self._unwritten(recordings),
            sessions=self._sessions,
            asked=self._asked(),
            told=self._told,
            starts=self._starts,
            interruptions=interruptions,
            restarts_allowed=self._carried,
            reported=self._reported,
            seen=tuple(self._seen),
            memory=max(box.daemon.measure() for box in site.boxes),
            boxes=tuple(box.name for box in site.boxes if box.name),
        )

    def next_round(self) -> None:
        """The round has been judged: begin the next."""
        self.excused += sum(each.excused for each in self._asked())
        self.site.panel.presses.clear()
        self.site.losses.clear()
        self._told.clear()
        self._answered.clear()
        self._set_aside.clear()
        self._starts.clear()
        self._seen.clear()
        self._lost.clear()
        self._carried.clear()
        for room in self.site.rooms:
            state = self._retained.get(f"room/{room.name}/state")
            if state == "unknown" and room.restarts_lost:
                self._carried[room.session] += 1

    def _listen(self) -> None:
        heard, self.site.panel.heard = self.site.panel.heard, []
        for message in heard:
            if message.topic == f"{BASE}/bridge/state":
                if message.payload == "online":
                    self.site.subscribed_again(message.at)
                continue
            if message.topic.startswith(f"{BASE}/bridge/standby/"):
                self._gaps.hear(message.topic.rpartition("/")[2], message.payload, message.at)
                continue
            _, _, room, leaf = message.topic.split("/")
            if leaf == "alarm":
                # The highest of all alarms: it is published whenever it stands.
                if "outcome_unknown" in (message.payload, self._alarms.get(room)):
                    self._reported[room] = message.at
                self._alarms[room] = message.payload
                continue
            if leaf == "recording_id":
                known = self._published.setdefault(room, [])
                if message.payload != "none" and message.payload not in known:
                    known.append(message.payload)
                    self._published_at[message.payload] = message.at
                continue
            self._take_result(room, message)

    def _take_result(self, room: str, message: Heard) -> None:
        result = json.loads(message.payload)
        code = (result["error"] or {}).get("code", "")
        told = Told(str(result["id"]), result["outcome"], str(result["state"]), code)
        self._told.setdefault(told.id, []).append(told)
        if code == "set_aside":
            self._set_aside.setdefault(room, set()).add(told.id)
        self._answered.setdefault(told.id, message.at)
        if told.outcome == "unknown":
            self._reported[room] = message.at

    async def _ask_the_hmps(self) -> list[WorldRecording]:
        """Their recordings; counts starts and finds losses on the way."""
        recordings: list[WorldRecording] = []
        started: set[str] = set()
        for hmp in self.site.hmps.values():
            entries = await hmp.executed()
            self._keep(hmp.name, entries)
            for entry in entries:
                command, *arguments = entry["line"].split()
                if command == "startRecording" and entry["answer"].startswith("OK|"):
                    self._starts[arguments[0]] += 1
                    started.add(entry["answer"].removeprefix("OK|"))
                    self._sessions[entry["answer"].removeprefix("OK|")] = arguments[0]
                if command == "getRecordingStatus" and entry["answer"] == "OK|ERROR":
                    self._lost.add(arguments[0])
            forgets = self.site.forgets_what_ended(hmp.name)
            for row in await hmp.recordings():
                state = "forgotten" if forgets and row["state"] == "FINISHED" else row["state"]
                recordings.append(
                    WorldRecording(row["id"], row["session"], state, row["started_at"])
                )
                self._sessions[row["id"]] = row["session"]
        present = {each.id for each in recordings}
        self._lost |= {each for each in self._sessions if each not in present} & (
            started | self._active_before
        )
        self._active_before = {each.id for each in recordings if each.active}
        return recordings

    def _keep(self, hmp: str, entries: list[dict[str, Any]]) -> None:
        """Write down what HMP has executed, beside the daemon's log: for whoever looks for why."""
        with (self.site.folder / "commands.log").open("a") as log:
            for entry in entries:
                at = datetime.fromtimestamp(entry["at"], UTC).isoformat(timespec="milliseconds")
                log.write(f"{at} {hmp} {entry['line']} -> {entry['answer']}\n")

    def _asked(self) -> list[Asked]:
        site = self.site
        losses = site.broker_losses
        hung_up = [at for box in site.boxes for at in box.to_broker.ended]
        disturbed = max([*site.kills, *hung_up, *losses, 0.0])
        set_aside = self._presses_set_aside()
        return [
            Asked(
                id=press.id,
                room=press.room,
                action=press.action,
                at=press.at,
                acked=press.acked is not None,
                excused=not self._told.get(press.id)
                and (
                    press.id in set_aside
                    or _lost_with_the_broker(press.at, losses)
                    or self._went_with_a_box(press.at)
                ),
                gone=not self._told.get(press.id) and self._went_with_a_box(press.at),
                may_repeat=disturbed >= press.at,
                unwritten=self._gaps.had(press.at, self._answered.get(press.id, math.inf)),
            )
            for press in site.panel.presses
        ]

    def _presses_set_aside(self) -> set[str]:
        """The first of each room that have no result: as many as were set aside there."""
        chosen = set[str]()
        for room, results in self._set_aside.items():
            missing = [
                press.id
                for press in self.site.panel.presses
                if press.room == room and press.acked is not None and not self._told.get(press.id)
            ]
            chosen.update(missing[: len(results)])
        return chosen

    def _unwritten(self, recordings: list[WorldRecording]) -> set[str]:
        began = {each.id: each.started_at for each in recordings}
        known = [*began.items(), *self._published_at.items()]
        return {key for key, at in known if self._went_with_a_box(at)}

    def _went_with_a_box(self, at: float) -> bool:
        """Whether what came about at this Unix time may have been in a killed box alone."""
        return any(self._gaps.took(at, killed) for killed in self.site.kills)


def _lost_with_the_broker(sent: float, losses: list[float]) -> bool:
    return any(sent <= loss + 0.2 for loss in losses)
