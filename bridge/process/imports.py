"""Imports of libraries that draw in more than is used of them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["without"]


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Have imports in the body find none of these packages, unless they are there already.

    For what a library takes where it is installed, and does without where it is not.
    """
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    hidden = [name for name in packages if name not in modules]
    modules |= dict.fromkeys(hidden)  # None: the import system's own word for what is not there
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
