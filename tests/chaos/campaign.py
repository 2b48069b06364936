"""Round after round: faults, then calm, then judgement."""

import shutil
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio

from tests.cluster.fixtures import in_memory

from .faults import adopt, carry_out
from .judge import NAMES, Violation, judge
from .observation import Observation
from .observer import Observer
from .plan import LEADER, Places, Plan, make_plan
from .site import BASE, TTL, Site

__all__ = ["PATIENCE", "Campaign"]

PATIENCE: Final = 45.0
"""Seconds that a calm may take: a turned away bridge waits 10, its back-off goes up to 30."""

_UNTIL_ANSWERED: Final = 2 / 3
"""Part of that after which a press without a result is called lost."""

_STANDS: Final = frozenset(
    {
        *("results_differ", "result_repeated", "stop_refused", "wrong_room", "memory"),
        *("second_in_flight", "daemon_ended", "no_clean_end", "traceback"),
        *("written_out_of_turn", "sent_out_of_turn"),
    }
)
"""What no longer waiting puts right."""


@dataclass(slots=True)
class Campaign:
    """A run of so many seconds, replayed by its seed. `violations` has each with its round.

    With something `planted` it ends when that has been found, or anything else.
    """

    seed: int
    seconds: float
    first: int = 0
    verbose: bool = False
    pair: bool = False
    planted: str = ""
    #: Seconds that a calm may take; more on a machine that has no time for it.
    patience: float = PATIENCE
    rounds: int = 0
    presses: int = 0
    violations: list[tuple[int, Violation]] = field(default_factory=list)
    _standing: set[tuple[str, str]] = field(default_factory=set)
    #: Seconds from a kill of the box that leads, when all is calm, until the other is online.
    _takeovers: list[float] = field(default_factory=list)
    #: Room and id of recordings that the operator hands to their rooms.
    _foundlings: list[tuple[str, str]] = field(default_factory=list)

    async def run(self) -> bool:
        """Run; whether nothing was violated."""
        folder = Path(tempfile.mkdtemp(prefix="hmp-bridge-chaos-"))
        with in_memory(1) as memory:
            journal = memory if self.pair else None
            site = Site(folder, self.seed, journal=journal, planted=self.planted)
            await self._run_rounds(site)
        if not self.violations:
            shutil.rmtree(folder)
        return not self.violations

    async def _run_rounds(self, site: Site) -> None:
        observer = Observer(site)
        deadline = trio.current_time() + self.seconds
        print(f"seed {self.seed}, {self.seconds:g} s, files in {site.folder}", flush=True)
        async with trio.open_nursery() as nursery:
            await nursery.start(site.run)
            await self._settle(site, observer)
            while trio.current_time() < deadline and not (self.planted and self.violations):
                await self._round(site, observer, self.first + self.rounds)
                self.rounds += 1
            nursery.cancel_scope.cancel()
        observer.next_round()
        self._report(site, observer)

    async def _round(self, site: Site, observer: Observer, number: int) -> None:
        names = tuple(room.name for room in site.rooms), tuple(site.hmps)
        places = Places(*names, TTL * self.pair, self.planted)
        plan = make_plan(self.seed, number, places)
        observer.next_round()
        before = Counter(site.faults)
        await self._adopt(site, number)
        await carry_out(site, plan)
        began = trio.current_time()
        seen, found = await self._settle(site, observer)
        calm = trio.current_time() - began
        self.presses += len(site.panel.presses)
        happened = Counter(site.faults) - before
        print(
            f"round {number} {plan.style.name}: {len(site.panel.presses)} presses, "
            f"{happened.total()} faults, {_kills(happened)} kills, calm after {calm:.1f} s",
            flush=True,
        )
        if self.verbose:
            print(f"  {dict(happened)}", flush=True)
        self._note(number, found)
        await self._sweep(site, plan, seen)
        if self.pair and not found:
            await self._take_over(site)

    async def _take_over(self, site: Site) -> None:
        """Kill the box that leads, with nothing else wrong; measure until the other is online."""
        killed = time.time()
        if not site.box(LEADER).daemon.kill("kill_measured"):
            return
        with trio.move_on_after(self.patience):
            while True:
                said = site.panel.newest[f"{BASE}/bridge/state"]
                if said.at > killed and said.payload == "online":
                    self._takeovers.append(said.at - killed)
                    return
                await trio.sleep(0.01)

    async def _settle(
        self, site: Site, observer: Observer
    ) -> tuple[Observation | None, list[Violation]]:
        """Calm, then look until nothing is wrong or patience has ended."""
        await site.calm()
        began = trio.current_time()
        deadline = began + self.patience
        seen, found = None, [Violation("not_online", "", "the broker could not be asked")]
        while trio.current_time() < deadline:
            await trio.sleep(0.25)
            answered_by = began + self.patience * _UNTIL_ANSWERED
            if observer.unanswered() and trio.current_time() < answered_by:
                continue
            seen = await observer.observe()
            if seen is None:
                continue
            found = judge(seen)
            fresh = {(each.name, each.room) for each in found} - self._standing
            if {name for name, _ in fresh} <= _STANDS or observer.unanswered():
                break
        return seen, found

    def _note(self, number: int, found: list[Violation]) -> None:
        """Count what is wrong and was not wrong already after the round before."""
        names = {(each.name, each.room) for each in found}
        for each in found:
            if (each.name, each.room) not in self._standing:
                self.violations.append((number, each))
                print(f"  VIOLATION {each.name} {each.room}: {each.text}", flush=True)
        self._standing = names

    async def _sweep(self, site: Site, plan: Plan, seen: Observation | None) -> None:
        """The operator, told by the alarm, ends in HMP's pages what nobody knows, or adopts it."""
        if seen is None or plan.after == "leave":
            return
        shown = {seen.retained.get(f"room/{room.name}/recording_id") for room in seen.rooms}
        rooms = {room.session: room for room in seen.rooms}
        for recording in seen.recordings:
            if recording.active and recording.id not in shown:
                room = rooms[recording.session]
                if plan.after == "adopt":
                    self._foundlings.append((room.name, recording.id))
                else:
                    await site.hmps[room.server].ask("stop", recording=recording.id)

    async def _adopt(self, site: Site, number: int) -> None:
        foundlings, self._foundlings = self._foundlings, []
        for index, (room, recording_id) in enumerate(foundlings):
            await adopt(site, f"{self.seed}-{number}-adopt-{index}", room, recording_id)

    def _report(self, site: Site, observer: Observer) -> None:
        faults = site.faults
        commands = sum(way.commands for box in site.boxes for way in box.to_hmps.values())
        print(f"\nrounds      {self.rounds}")
        print(f"presses     {self.presses}, {observer.excused} lost or set aside")
        print(f"commands    {commands} seen on the way to HMP")
        starts = sum(box.daemon.starts for box in site.boxes)
        peak = max(box.daemon.peak for box in site.boxes)
        print(f"daemon      {starts} starts, at most {peak} kB resident")
        print(f"kill -9     {len(site.kills)} of the daemon")
        if site.store is not None:
            print(f"hands       {len(site.store.history.reigns)} times a box has got the lease")
        if self._takeovers:
            print(
                f"kill to online  median {statistics.median(self._takeovers):.2f} s, longest "
                f"{max(self._takeovers):.2f} s of {len(self._takeovers)}, lease {TTL:g} s"
            )
        print(f"faults      {faults.total()}")
        for kind, count in sorted(faults.items()):
            print(f"  {kind:22} {count}")
        print(f"violations  {len(self.violations)}")
        for name, count in Counter(each.name for _, each in self.violations).items():
            print(f"  {name:22} {count}  ({NAMES[name]})")
        pair = " --pair" * self.pair + f" --plant {self.planted}" * bool(self.planted)
        given = f"--seed {self.seed} --seconds {self.seconds:g}{pair}"
        print(f"replay      python -m tests.chaos {given}")
        print(f"ended       {time.strftime('%Y-%m-%d %H:%M:%S')}", flush=True)


def _kills(happened: Counter[str]) -> int:
    return sum(count for kind, count in happened.items() if kind.startswith("kill"))
