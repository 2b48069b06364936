"""The table `[bridge.journal]`: a journal on etcd, for boxes of which one acts at a time."""

import importlib.util
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema

from ..cluster.settings import EtcdSettings
from ..tls.settings import TlsSettings
from .errors import Fault
from .key_types import HOME_EXPANDED, Duration, Table, Word, listed
from .web_faults import is_this_box

__all__ = ["JournalTable", "faults_of_journal"]

_PORT = 2379


def _endpoint(value: str) -> str:
    """The URL of a member, with its port, as it is asked."""
    try:
        url = urlsplit(value)
        port = url.port or _PORT
    except ValueError:
        url, port = urlsplit(""), 0
    if (
        url.scheme not in ("http", "https")
        or not url.hostname
        or re.search(r"[\s@?#]", value)
        or url.path not in ("", "/")
    ):
        raise ValueError(
            f"{value!r} is no address of etcd; write https://etcd1.example.edu:{_PORT}, or http:// "
            "where it has no TLS"
        )
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    return f"{url.scheme}://{host}:{port}"


def _endpoints(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("needs at least one address, such as https://etcd1.example.edu:2379")
    if importlib.util.find_spec("httpx") is None:
        raise ValueError(
            "needs an extra that is not installed: pip install 'hmp-bridge[cluster]'; or take "
            "the table away"
        )
    return tuple(dict.fromkeys(map(_endpoint, value)))


def _endpoint_list(value: object) -> object:
    value = listed(value)
    return (value,) if isinstance(value, str) else value


Endpoints = Annotated[
    tuple[str, ...],
    BeforeValidator(_endpoint_list),
    AfterValidator(_endpoints),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "pattern": r"^https?://[^\s/@?#]+/?$"},
            "minItems": 1,
        }
    ),
]


class JournalTable(Table):
    """A journal on etcd, of which one of several boxes has the lease, and acts."""

    etcd: Endpoints
    """Addresses of etcd's members; any of them will do."""
    ca: Annotated[str, HOME_EXPANDED] | None = None
    """Certificates of the authorities that are trusted; left out: the system's."""
    cert: Annotated[str, HOME_EXPANDED] | None = None
    """The bridge's own certificate, where etcd asks for one."""
    key: Annotated[str, HOME_EXPANDED] | None = None
    """The private key of `cert`; left out: it is in the same file."""
    username: Word | None = None
    """User name at etcd."""
    password: Annotated[SecretStr, Field(min_length=1)] | None = None
    """Better as a secret: a file bridge__journal__password."""
    ttl: Annotated[Duration, Field(ge=2, le=60)] = 5.0
    """How long a box may be silent before another one takes over."""

    def settings(self, prefix: str, box: str) -> EtcdSettings:
        """The same for the client; `prefix` is what its keys begin with, `box` who asks."""
        return EtcdSettings(
            endpoints=self.etcd,
            prefix=prefix,
            box=box,
            ttl=self.ttl,
            tls=TlsSettings(self.ca, self.cert, self.key),
            username=self.username,
            password=None if self.password is None else self.password.get_secret_value(),
        )


def faults_of_journal(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Half a login, a login that everybody can read, and files of TLS without TLS."""
    bridge = data.get("bridge")
    table = bridge.get("journal") if isinstance(bridge, Mapping) else None
    if not isinstance(table, Mapping):
        return
    path = ("bridge", "journal")
    if table.get("password") and table.get("username") is None:
        reason = "is missing; a password is sent only together with a user name"
        yield Fault((*path, "username"), reason, cause=(*path, "password"))
    written = _endpoint_list(table.get("etcd"))
    addresses = written if isinstance(written, list | tuple) else ()
    plain = [each for each in addresses if isinstance(each, str) and each.startswith("http://")]
    open_to_all = [each for each in plain if not is_this_box(_host(each))]
    if table.get("password") and open_to_all:
        reason = f"{open_to_all[0]} would have the password in plain text; write https://"
        yield Fault((*path, "etcd"), reason)
    if plain and len(plain) == len(addresses):
        for key in ("ca", "cert", "key"):
            if table.get(key) is not None:
                yield Fault((*path, key), "is for https://, and every address is http://")


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
