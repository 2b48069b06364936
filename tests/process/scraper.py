"""Reads a daemon's metrics and health as a scraper does.

As a program, `python -m tests.process.scraper ADDRESS`, it scrapes without a pause until it gets
SIGTERM and then says how often; a fault ends it earlier. Its parsing is no small work: beside it,
threads of the same process hardly get to run.
"""

import http.client
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing

from prometheus_client import Metric

from tests.metrics.exposition import faults, read

from .watched import PATIENCE

__all__ = ["Scraper"]


class Scraper:
    """One connection to the metrics served at `address`, kept as Prometheus keeps it."""

    def __init__(self, address: str) -> None:
        self._http = http.client.HTTPConnection(address, timeout=PATIENCE)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def get(self, path: str, accept: str = "") -> tuple[int, str]:
        """Status and text of a page."""
        self._http.request("GET", path, headers={"Accept": accept})
        response = self._http.getresponse()
        return response.status, response.read().decode()

    def metrics(self) -> dict[str, Metric]:
        """What there is to be measured, without a fault."""
        status, text = self.get("/metrics", "text/plain;version=0.0.4")
        assert status == 200
        assert faults(text) == []
        return read(text)

    def until(self, look: Callable[[dict[str, Metric]], bool]) -> dict[str, Metric]:
        """Scrape until `look` finds what it wants."""
        deadline = time.monotonic() + PATIENCE
        while not look(families := self.metrics()):
            assert time.monotonic() < deadline, "the metrics never showed it"
        return families


def main() -> None:
    """Scrape until SIGTERM."""
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    scrapes = 0
    with closing(Scraper(sys.argv[1])) as scraper:
        while not told:
            scraper.metrics()
            assert scraper.get("/health/live")[0] == 200
            scrapes += 1
            if scrapes == 1:
                print("scraping", flush=True)
    print(f"scraped {scrapes} times", flush=True)


if __name__ == "__main__":
    main()
