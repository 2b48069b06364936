"""Something that other threads add to and a test waits on: no sleeping, no polling."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PATIENCE", "Watched"]

PATIENCE = 45.0
"""Seconds a test waits for what must happen; it fails then, and says what did happen.

More than the longest pause between two attempts to connect (R21), which nothing shortens.
"""

T = TypeVar("T")
R = TypeVar("R")


class Watched(Generic[T]):
    """A growing list; `until` waits for what a test wants to see in it."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._complete = False
        self._changed = threading.Condition()

    def add(self, item: T) -> None:
        """Append, and wake whoever waits."""
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def complete(self) -> None:
        """Nothing will be added any more: whoever waits waits in vain."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def since(self, mark: int = 0) -> list[T]:
        """A copy of what has been added from `mark` on."""
        with self._changed:
            return self._items[mark:]

    def __len__(self) -> int:
        with self._changed:
            return len(self._items)

    def until(
        self,
        look: Callable[[list[T]], R | None],
        wanted: object,
        *,
        since: int = 0,
        timeout: float = PATIENCE,
    ) -> R:
        """What `look` finds in the items from `since` on, as soon as that is true.

        Raises `AssertionError`, naming `wanted` and the newest items, after `timeout` seconds or
        when nothing more can come.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (found := look(self._items[since:])):
                self._wait(deadline, wanted, since, timeout)
            return found

    def first(
        self,
        match: Callable[[T], bool],
        wanted: object,
        *,
        since: int = 0,
        timeout: float = PATIENCE,
    ) -> T:
        """The first item from `since` on that `match` is true of; each is looked at once.

        However many come while it waits, whoever adds them is not kept up. Raises as `until`.
        """
        deadline = time.monotonic() + timeout
        looked_at = since
        with self._changed:
            while True:
                while looked_at < len(self._items):
                    if match(item := self._items[looked_at]):
                        return item
                    looked_at += 1
                self._wait(deadline, wanted, since, timeout)

    def _wait(self, deadline: float, wanted: object, since: int, timeout: float) -> None:
        """Until there is more to look at. Raises `AssertionError`."""
        left = deadline - time.monotonic()
        if self._complete or left <= 0 or not self._changed.wait(left):
            newest = "\n  ".join(str(item) for item in self._items[since:][-40:])
            raise AssertionError(f"not seen within {timeout:g} s: {wanted}\n  {newest}")
