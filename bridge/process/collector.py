"""Python's garbage collector, which looks at everything that is there, however long it has been.

A full look at a thousand rooms holds up the event loop for 150 ms.
"""

import gc

__all__ = ["started"]

_AT_ONCE = 10_000
"""Objects made between two looks. At Python's 700 a thousand rooms are looked at so often, of which
every press replaces values, that it takes a twentieth of the processor time of their presses."""


def started() -> None:
    """Have it never look again at what is there by now, the first time: it stays with the process.

    It looks seldom from then on. What is garbage at that moment stays too; that is little, for it
    was looked for all the while.
    """
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.set_threshold(_AT_ONCE)
