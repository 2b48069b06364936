"""What the tests need of npm, where ``.ci/run`` puts it: beside the checkout, once."""

import os
import shutil
from pathlib import Path

__all__ = ["AEDES", "AXE", "NODE_RED", "has_npm_package"]

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hmp-bridge"

AEDES = _CACHE / "aedes-1.2.0"
AXE = _CACHE / "axe-core-4.14.1/node_modules/axe-core/axe.min.js"
NODE_RED = _CACHE / "node-red-4.1.8"


def has_npm_package(folder: Path, name: str) -> bool:
    """Whether it is installed there, with Node to run it."""
    return (folder / "node_modules" / name).is_dir() and shutil.which("node") is not None
