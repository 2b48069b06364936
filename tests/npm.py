"""What the tests need of npm, where ``.ci/run`` puts it: beside the checkout, once."""

import os
from pathlib import Path

__all__ = ["AEDES", "AXE"]

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hmp-bridge"

AEDES = _CACHE / "aedes-1.2.0"
AXE = _CACHE / "axe-core-4.14.1/node_modules/axe-core/axe.min.js"
