"""Paths as people write them."""

import os
from pathlib import Path

__all__ = ["whole_path"]


def whole_path(text: str) -> str:
    """The path with the home folder in the place of a leading ``~`` or ``~name``.

    Raises `ValueError` where there is none. ``~`` alone is what HOME says and nothing else: without
    it, as under systemd, the account's own folder may be ``/``.
    """
    if not text.startswith("~"):
        return text
    if text.partition("/")[0] == "~" and not os.environ.get("HOME"):
        raise ValueError(
            "is below ~, and this process has no home folder (HOME is not set, as under systemd); "
            "write the whole path"
        )
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        raise ValueError(
            f"is below {text.partition('/')[0]}, which is no user here; write the whole path"
        ) from None
