"""Python's garbage collector, which looks at everything that is there, however long it has been.

A full look at a thousand rooms holds up the event loop for 150 ms.
"""

import gc

__all__ = ["started"]


def started() -> None:
    """Have it never look again at what is there by now, the first time: it stays with the process.

    What is garbage at that moment stays too; that is little, for it was looked for all the while.
    """
    if gc.get_freeze_count() == 0:
        gc.freeze()
