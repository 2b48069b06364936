"""The files of `mqtt.tls`, and what is in use of them (R30).

A certificate is renewed by putting other files in place of the old ones, one by one or by moving a
symbolic link. What does not load, a key that does not fit its certificate among it, is not used:
what was loaded last is, until it does.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from .certificate import last_end, not_after
from .settings import TlsSettings

__all__ = ["TlsContext", "TlsFiles", "ends_of", "load_context", "seen"]


class TlsContext:
    """A context for one connection, `shared` with others.

    It remembers the socket it wrapped, which paho leaks when the handshake fails.
    """

    def __init__(self, shared: ssl.SSLContext) -> None:
        self.shared = shared
        self.check_hostname = shared.check_hostname
        self.wrapped: ssl.SSLSocket | None = None

    def peer_ends(self) -> dict[str, float]:
        """The broker's certificate, with the seconds since the epoch at which it ends.

        Nothing where it is not verified, and once the connection is closed.
        """
        sock = self.wrapped
        certificate = None if sock is None or sock.fileno() < 0 else sock.getpeercert()
        end = str(certificate["notAfter"]) if certificate else ""
        return {"the broker's certificate": ssl.cert_time_to_seconds(end)} if end else {}

    def wrap_socket(
        self, sock: socket.socket, *, server_hostname: str, do_handshake_on_connect: bool
    ) -> ssl.SSLSocket:
        """As paho calls it."""
        self.wrapped = self.shared.wrap_socket(
            sock,
            server_hostname=server_hostname,
            do_handshake_on_connect=do_handshake_on_connect,
        )
        return self.wrapped


def load_context(tls: TlsSettings) -> ssl.SSLContext:
    """The context of these files; blocks. Raises `OSError`, `ssl.SSLError` among it."""
    for path in _paths(tls):
        # OpenSSL's own complaint does not say which file it misses.
        with Path(path).open("rb"):
            pass
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca is not None:
        context.load_verify_locations(tls.ca)
    else:
        context.load_default_certs()
    if tls.cert is not None:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def ends_of(tls: TlsSettings) -> dict[str, float]:
    """Seconds since the epoch at which each of these certificates ends, by key; blocks."""
    found = {}
    looks: tuple[tuple[str, str | None, Callable[[bytes], float | None]], ...] = (
        ("mqtt.tls.cert", tls.cert, not_after),
        ("mqtt.tls.ca", tls.ca, last_end),
    )
    for key, path, look in looks:
        try:
            end = None if path is None else look(Path(path).read_bytes())
        except OSError:
            end = None
        if end is not None:
            found[key] = end
    return found


class TlsFiles:
    """Loads them, again when they are others, and keeps what was loaded last.

    Everything here blocks, and is for any thread.
    """

    def __init__(self, tls: TlsSettings) -> None:
        self._tls = tls
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._loaded: object = None
        self._looked: object = None
        #: Why the files that are there now are not used; None where they are.
        self.problem: str | None = None
        #: `ends_of` what is in use.
        self.ends: Mapping[str, float] = {}

    def context(self) -> ssl.SSLContext:
        """For a connection: the newest that can be loaded.

        Raises, as `load_context`, where none ever could.
        """
        with self._lock:
            self._load()
            assert self._context is not None  # noqa: S101 - `_load` has raised else
            return self._context

    def renewed(self, in_use: ssl.SSLContext) -> bool:
        """True where others can be loaded than a connection was made with.

        They must have stood still between two calls: who writes them may not be done.
        """
        with self._lock:
            before, self._looked = self._looked, self._signature()
            if before == self._looked:
                self._load()
            return self._context is not in_use

    def _load(self) -> None:
        signature = self._signature()
        if signature == self._loaded:
            self.problem = None
            return
        try:
            context = load_context(self._tls)
        except OSError as error:
            if self._context is None:
                raise
            self.problem = str(error)
        else:
            self._context, self._loaded, self.problem = context, signature, None
            self.ends = ends_of(self._tls)

    def _signature(self) -> object:
        paths = _paths(self._tls)
        if self._tls.ca is None:
            system = ssl.get_default_verify_paths()
            paths += filter(None, (system.cafile, system.capath))
        return [seen(path) for path in paths]


def _paths(tls: TlsSettings) -> list[str]:
    return [path for path in (tls.ca, tls.cert, tls.key) if path is not None]


def seen(path: str) -> tuple[int, ...]:
    """How a file looks from outside, behind whatever links; empty for one that is not there."""
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
