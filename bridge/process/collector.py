"""Python's garbage collector, which looks at everything that is there, however long it has been.

While a program is imported, and its rooms are made, next to nothing is found, and the looks are a
sixth of the start; a full look at a thousand rooms holds up the event loop for 150 ms.
"""

import gc
from functools import cache

__all__ = ["loaded", "loading", "started"]

_AT_ONCE = 10_000
"""Objects made between two looks. At Python's 700 a thousand rooms are looked at so often, of which
every press replaces values, that it takes a twentieth of the processor time of their presses."""


def loading() -> None:
    """Have it not look at all, until `loaded` or `started`."""
    gc.disable()


def loaded() -> None:
    """Have it look again, where it does not: `started` may be far."""
    if not gc.isenabled():
        _look_at_what_comes()


@cache
def started() -> None:
    """Have it look only at what comes from now on, once, however often this is called."""
    _look_at_what_comes()


def _look_at_what_comes() -> None:
    """Seldom, and never again at what is there by now, which stays with the process.

    What is garbage at that moment stays too; that is little.
    """
    gc.freeze()
    gc.set_threshold(_AT_ONCE)
    gc.enable()
