"""Sources of a configuration besides its text: which file, and what the names around it say.

A misspelt variable or secret would otherwise be a setting that nobody misses until it counts.
"""

import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ..text.nearest import did_you_mean, nearest
from ..text.paths import whole_path
from .blame import PREFIX
from .errors import ConfigurationError, Fault

__all__ = [
    "FILE_VARIABLE",
    "USUAL_FILES",
    "find_file",
    "misnamed_sources",
    "secret_files",
]

_FILE_KEY = "config"
FILE_VARIABLE = f"{PREFIX}{_FILE_KEY.upper()}"
"""The environment variable that names the configuration file."""
_ADDRESS = re.compile(
    r"port|(.+_)?(service_host|service_port(_.+)?|port_\d+_(tcp|udp|sctp)(_(proto|port|addr))?)"
)
"""Variables that Kubernetes, and Docker's links, set for a service; in small letters."""
USUAL_FILES = tuple(map(Path, ("bridge.toml", "config/bridge.toml", "/etc/hmp-bridge/bridge.toml")))
"""Places where a configuration is looked for that nobody names, in this order."""


def find_file(given: Path | None) -> Path:
    """The configuration file: the one given, or the first that exists of the usual places.

    Raises `ConfigurationError` when there is none, or when it cannot be told.
    """
    named_in = ""
    if given is None and FILE_VARIABLE in os.environ:
        named = os.environ[FILE_VARIABLE]
        try:
            given = Path(whole_path(named))
        except ValueError as error:
            raise ConfigurationError([Fault((), f"${FILE_VARIABLE}: {named!r} {error}")]) from None
        named_in = f", which ${FILE_VARIABLE} names"
    looked = USUAL_FILES if given is None else (given,)
    for path in looked:
        if _is_file(path):
            return path
    if given is not None and given.is_dir():
        reason = f"{given} is a folder{named_in}; name the file in it with --config FILE"
        raise ConfigurationError([Fault((), reason)])
    places = ", ".join(str(path) for path in looked)
    reason = f"there is no configuration file at {places}{named_in}; name one with --config FILE"
    raise ConfigurationError([Fault((), reason)])


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; let user {os.geteuid()} read it and its folder"
        raise ConfigurationError([Fault((), reason)], path) from None


def misnamed_sources(tables: Mapping[str, Collection[str]]) -> Iterator[Fault]:
    """Variables and secrets that look like ours and belong to none of `tables` with their keys.

    Ours have two underscores after the table, or are one of a few names; what else begins with our
    prefix may be anybody's, unless it is plain what was meant.
    """
    for name, value in sorted(os.environ.items()):
        prefix, key = name[: len(PREFIX)], name[len(PREFIX) :].lower()
        if prefix.upper() != PREFIX or name.upper() == FILE_VARIABLE or _is_address(key, value):
            continue
        if nearest(key, [_FILE_KEY, *tables]) == _FILE_KEY:
            yield Fault((key,), f"sets nothing; did you mean {FILE_VARIABLE}?")
        elif "__" in key or _looks_like_ours(key, tables):
            yield from _misnamed(key, tables, variable=True)
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        return
    try:
        secrets = sorted(secret.name for secret in Path(folder).iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; let it be a folder that this user may read"
        yield Fault((), f"the secrets directory {folder} {reason}")
        return
    for name in secrets:
        table, _, key = re.sub(r"[._-]+", "_", name.lower()).partition("_")
        # Any other credential is somebody else's.
        if "__" in name or key in tables.get(table, ()):
            yield from _misnamed(name, tables, variable=False)


def secret_files(tables: Collection[str]) -> Iterator[Path]:
    """Files of the secrets directory that set something in one of `tables`."""
    with suppress(KeyError, OSError):
        for path in sorted(Path(os.environ["CREDENTIALS_DIRECTORY"]).iterdir()):
            if path.name.lower().partition("__")[0] in tables:
                yield path


def _is_address(name: str, value: str) -> bool:
    """True if Kubernetes says by it where a service is whose name begins with `hmp-bridge`.

    Of a service `hmp-bridge-mqtt` it sets what is almost `mqtt.port`, to an URL.
    """
    return _ADDRESS.fullmatch(name) is not None or (name.endswith("_port") and "://" in value)


def _looks_like_ours(name: str, tables: Mapping[str, Collection[str]]) -> bool:
    """True if a name without two underscores was meant for one of `tables`, or a key of one."""
    return (
        any(name.startswith(f"{table}_") or name in keys for table, keys in tables.items())
        or nearest(name, tables) is not None
    )


def _misnamed(
    name: str, tables: Mapping[str, Collection[str]], *, variable: bool
) -> Iterator[Fault]:
    table, *keys = name.split("__")
    if table.lower() in tables:
        return
    begun = [known for known in tables if re.match(rf"{known}[._-]", table.lower())]
    if begun:
        right = f"{begun[0]}__{name[len(begun[0]) + 1 :]}"
        right = f"{PREFIX}{right.upper()}" if variable else right.lower()
        hint = f"two underscores follow the table: {right}"
    else:
        hint = did_you_mean(table, tables, f"the tables are {', '.join(tables)}")
    yield Fault((table, *keys), f"there is no table {table}; {hint}")
