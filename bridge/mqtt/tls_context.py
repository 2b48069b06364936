"""TLS, as paho wants it of a context."""

import socket
import ssl

__all__ = ["TlsContext"]


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
