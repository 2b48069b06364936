"""Metrics of a running bridge, served."""

from collections.abc import Callable

from .. import __version__
from ..observe import Observer
from .endpoint import serve_pages
from .look import Look
from .meters import Meters
from .pages import pages

__all__ = ["serve_metrics"]


async def serve_metrics(
    listen: tuple[str, int], look: Callable[[], Look], observer: Observer
) -> None:
    """Measure what `observer` is told and serve it at `listen`, until cancelled."""
    meters = Meters(version=__version__, servers=look().servers, look=look)
    observer.meters = meters
    await serve_pages(*listen, pages(meters.registry, look))
