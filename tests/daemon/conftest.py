"""Fixtures of the daemon's own tests."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.process.hmp import Hmp

from .house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def hmp(tmp_path: Path) -> Iterator[Hmp]:
    """A simulated HMP of two sessions."""
    with closing(Hmp(tmp_path, 2)) as made:
        yield made
