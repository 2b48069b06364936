"""The promise of a loop: when it goes on by itself at the latest, whatever others do."""

import math

import trio

__all__ = ["Progress", "Unserved"]


class Progress:
    """One loop's promise, renewed by the loop wherever it comes to wait.

    A loop that waits for something from outside promises the end of its patience, or nothing where
    that may take for ever. A loop is stuck whose promise is long past (R29).
    """

    __slots__ = ("_judged", "_resting", "_wanted", "due_at")

    def __init__(self) -> None:
        self._judged = False
        self._wanted = False
        self._resting = trio.lowlevel.ParkingLot()
        #: `trio.current_time` at which it goes on by itself at the latest; infinite: never.
        self.due_at = math.inf

    def within(self, seconds: float) -> float:
        """The loop runs, and goes on in so many seconds at the latest; infinite: when wanted.

        That moment, as `due_at` has it.
        """
        return self._goes_on_at(trio.current_time() + seconds)

    def _goes_on_at(self, moment: float) -> float:
        self._judged, self._wanted = True, False
        self.due_at = moment
        return moment

    def waits(self) -> None:
        """The loop waits for what another promise covers, or runs no more: nobody wants it."""
        self._judged, self._wanted = False, False
        self.due_at = math.inf

    def wanted(self) -> None:
        """Something has come for the loop, which goes on at once."""
        if self._wanted:
            return  # it was told, and has not come to it yet
        self._wanted = True
        if self._judged:
            self.due_at = min(self.due_at, trio.current_time())
        if self._resting:
            self._resting.unpark_all()

    async def rest(self, until: float = math.inf) -> None:
        """Go on when wanted, or at this moment of `trio.current_time`: promised, and kept.

        A loop that is cancelled while it rests promises nothing more.
        """
        self._goes_on_at(until)
        try:
            if until == math.inf:  # most rests: there is no moment to watch for
                await self._resting.park()
                return
            with trio.move_on_at(until):
                await self._resting.park()
        except trio.Cancelled:
            self.waits()
            raise

    async def until_wanted(self, until: float = math.inf) -> bool:
        """True once something has come for the loop, or has since it returned; False at `until`.

        From then on the loop promises nothing: it is for one that has others to wait for.
        """
        if not self._wanted:
            await self.rest(until)
        is_wanted = self._wanted
        self.waits()
        return is_wanted


class Unserved:
    """The promise of a loop that says nothing when it comes to wait: nothing is left lying.

    Whoever looks at the loops says what waits for it, as it stands at that moment.
    """

    __slots__ = ("_since", "_what")

    def __init__(self) -> None:
        self._what: object = None
        self._since = math.inf

    def seen(self, what: object) -> float:
        """`what` has waited longest, None for nothing; when it was to be taken, as `due_at`."""
        if what is not self._what:
            self._what = what
            self._since = math.inf if what is None else trio.current_time()
        return self._since
