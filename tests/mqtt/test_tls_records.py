"""Several MQTT packets in one TLS record, as what ends TLS before a broker may write them."""

import ssl
from collections.abc import Callable
from contextlib import suppress

import pytest
import trio

from bridge.tls.settings import TlsSettings
from tests.brokers import Broker, Certificates

from .connections import peer

MESSAGES = 20
PATIENCE = 60.0
NO_PING = 65_535
"""Seconds: nothing but what is tested makes the broker say more."""


class TlsFront:
    """Ends TLS for a broker, and writes what the broker says once `complete` holds for it."""

    def __init__(self, broker: Broker) -> None:
        self.complete: Callable[[bytes], bool] = bool
        self._broker = broker

    async def serve(self, outer: trio.SSLStream[trio.SocketStream]) -> None:
        """One connection."""
        inner = await trio.open_tcp_stream(self._broker.host, self._broker.port)
        async with outer, inner, trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, outer, inner)
            said = b""
            async for more in inner:
                said += more
                if self.complete(said):
                    await outer.send_all(said)
                    said = b""
            nursery.cancel_scope.cancel()

    async def _listen(
        self, outer: trio.SSLStream[trio.SocketStream], inner: trio.SocketStream
    ) -> None:
        with suppress(trio.BrokenResourceError):
            async for data in outer:
                await inner.send_all(data)
        await inner.send_eof()


@pytest.mark.parametrize("quality", [0, 1])
async def test_what_tls_has_decrypted_is_read_while_the_socket_is_silent(
    broker: Broker, certificates: Certificates, quality: int
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.cert, certificates.key)
    front = TlsFront(broker)
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    secured = trio.SSLListener(listener, context)
    port = listener.socket.getsockname()[1]
    tls = TlsSettings(ca=str(certificates.ca))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, front.serve, [secured])
        async with (
            peer(broker, ["tls"], name="tls", port=port, tls=tls, keepalive=NO_PING) as bridge,
            peer(broker, name="panel") as panel,
        ):
            front.complete = lambda said: said.count(b"tls") == MESSAGES
            for number in range(MESSAGES):
                panel.session.post("tls", str(number).encode(), qos=quality, retain=False)
            with trio.fail_after(PATIENCE):
                for number in range(MESSAGES):
                    assert (await bridge.next()).payload == str(number).encode()
            front.complete = bool
        nursery.cancel_scope.cancel()
