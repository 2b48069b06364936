"""``python -P planted.py hmp-bridge run …``: the daemon with a fault in it that must be found.

The environment variable `PLANTED` names it; empty, or without it, the daemon is as it is.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["LAUNCHER", "PLANTED", "PLANTS", "main"]

PLANTED: Final = "CHAOS_PLANTED"
"""The environment variable that says which of `PLANTS`."""


LAUNCHER: Final = (sys.executable, "-P", __file__)
"""What comes before a command that becomes the daemon with the fault."""


def _commit_without_comparison() -> None:
    """A commit is written whosever the lease is, and whatever was written before it."""
    from bridge.cluster import store, wire

    def created(key: str, revision: int) -> dict[str, Any]:
        return anything(key, 0) if key.endswith("/leader") else wire.created(key, revision)

    def anything(key: str, _revision: int) -> dict[str, Any]:
        return wire.created(key, 0) | {"result": "GREATER", "create_revision": "-1"}

    vars(store).update(created=created, modified=anything)


def _lease_not_checked_after_a_pause() -> None:
    """A lease is ours until etcd says that it is not, however long the process was stopped."""
    from bridge.cluster.lease import Leadership

    def is_ours(self: Leadership) -> bool:
        return self.fence > 0 and not self.lost.is_set()

    Leadership.is_ours = is_ours  # type: ignore[method-assign]


PLANTS: Final[dict[str, Callable[[], None]]] = {
    "commit": _commit_without_comparison,
    "pause": _lease_not_checked_after_a_pause,
}
"""What can be planted, by name."""


def main() -> None:
    """Plant what is to be planted, and run the daemon."""
    del sys.argv[0]
    if plant := os.environ.get(PLANTED):
        PLANTS[plant]()
    from bridge.__main__ import main as run

    run()


if __name__ == "__main__":
    main()
