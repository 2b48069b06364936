"""Python's garbage collector, which looks at everything that is there, however long it has been.

While a program is imported next to nothing is found, and the looks are a tenth of the start; a full
look at a thousand rooms holds up the event loop for 150 ms.
"""

import gc

__all__ = ["loaded", "loading", "started"]

_AT_ONCE = 10_000
"""Objects made between two looks. At Python's 700 a thousand rooms are looked at so often, of which
every press replaces values, that it takes a twentieth of the processor time of their presses."""


def loading() -> None:
    """Have it not look at all, until `loaded`."""
    gc.disable()


def loaded() -> None:
    """Have it look, and seldom."""
    gc.set_threshold(_AT_ONCE)
    gc.enable()


def started() -> None:
    """Have it never look again at what is there by now, the first time: it stays with the process.

    It looks seldom from then on. What is garbage at that moment stays too; that is little.
    """
    if gc.get_freeze_count() == 0:
        gc.freeze()
        loaded()
