"""Worlds for these tests: a clock that is set by hand, and the same ids every time."""

import random
from dataclasses import dataclass

from bridge.simulator.world import World
from bridge.simulator.worldfile import load_world, parse_world

__all__ = ["SESSION", "SOURCE", "Clock", "example_world", "world_of"]

SESSION = "71edd346-2cf0-4c62-b3d3-9d457b287394"
SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"


@dataclass
class Clock:
    """Unix time as the test wants it; 2026-01-02 03:04:05 UTC to begin with."""

    time: float = 1767323045.0

    def __call__(self) -> float:
        return self.time


def example_world(clock: Clock | None = None) -> World:
    return load_world(None, now=clock or Clock(), ids=random.Random(1))


def world_of(text: str, clock: Clock | None = None) -> World:
    return parse_world(text, "test.toml", now=clock or Clock(), ids=random.Random(1))
