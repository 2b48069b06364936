"""Metrics of a running bridge, served."""

from collections.abc import Callable

from .. import __version__
from .endpoint import serve_pages
from .meters import Meters
from .observe import Observer
from .pages import pages
from .snapshot import Snapshot

__all__ = ["serve_metrics"]


async def serve_metrics(
    listen: tuple[str, int], snapshot: Callable[[], Snapshot], observer: Observer
) -> None:
    """Measure what `observer` is told and serve it at `listen`, until cancelled."""
    meters = Meters(version=__version__, servers=snapshot().servers, snapshot=snapshot)
    observer.meters = meters
    await serve_pages(*listen, pages(meters.registry, snapshot))
