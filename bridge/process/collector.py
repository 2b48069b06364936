"""Python's garbage collector, which looks at everything that is there, however long it has been.

While a program starts that is of no use, for what is imported and built stays. Afterwards each full
look at a thousand rooms would hold up the event loop for a tenth of a second.
"""

import gc

__all__ = ["started", "starting"]

_USUAL = gc.get_threshold()

_WHILE_STARTING = 20_000
"""Objects made between two looks at what could go. Without any, 1 MB more would stay for good."""


def starting() -> None:
    """Look seldom until `started`."""
    gc.set_threshold(_WHILE_STARTING)


def started() -> None:
    """Look as usual, but never again at what is there by now: it stays as long as the process.

    Nothing happens unless the program is `starting`.
    """
    if gc.get_threshold()[0] == _WHILE_STARTING:
        gc.freeze()
        gc.set_threshold(*_USUAL)
