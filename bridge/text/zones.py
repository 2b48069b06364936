"""Time zones by the names that calendars give them: IANA's, or those of Windows. Pure.

Exchange and Graph name zones as Windows does (``Pacific Standard Time``); the Unicode CLDR says
which of IANA's each of these is.
"""

import re
from datetime import tzinfo
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

__all__ = ["NoZone", "read_zone"]

_IANA = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
"""A name of IANA's; it becomes a path, and nothing else is looked for."""

_WINDOWS = {name.casefold(): zone for name, zone in win_tz.items()}


class NoZone(ValueError):
    """The name is no time zone's; the text says what would be."""


def read_zone(name: object) -> tzinfo:
    """The zone of that name, by Windows' or IANA's list. Raises `NoZone`."""
    text = name.strip() if isinstance(name, str) else ""
    key = _WINDOWS.get(text.casefold(), text)
    if _IANA.fullmatch(key):
        try:
            return ZoneInfo(key)
        except (KeyError, OSError, ValueError):  # none, a folder of them, a file of something else
            pass
    raise NoZone(
        "is no time zone; write a name such as Europe/Berlin, or W. Europe Standard Time as Windows"
    )
