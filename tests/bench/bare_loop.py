"""``python -m tests.bench.bare_loop``: the peer. Trio and paho alone, tuned for latency.

An event comes in (QoS 1), one command line goes to HMP and is answered, two retained publications
(QoS 1) go out. No journal, no state, no result, no validation, no reconnecting: what any bridge on
Trio and paho costs at least. Tuned: a deque and an Event, TCP_NODELAY on both sockets, TCP_QUICKACK
on the broker's after every read, a plain `send` and `recv` after `wait_readable` on HMP's, and paho
left to write at once.

With ``--publications N`` as many go out, as a bridge has more to say than two topics hold. With
``--announce FILE`` it does one other thing and ends: connects, publishes a marker, every
retained message of the file, and `online`; as a bridge does on reconnecting.
"""

import argparse
import json
import socket
from collections import deque
from pathlib import Path

import trio
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

__all__ = ["main"]

_COMMANDS = {"pause": ("pauseRecording", b"paused", b"true")}
_RESUME = ("resumeRecording", b"recording", b"false")
_RECORDING = "6c6ca9f4-6d8f-4d49-8a53-3a4bd1b86c1b"


class BareLoop:
    """One connection to a broker, one to HMP."""

    def __init__(
        self, base: str, broker_port: int, hmp: socket.socket | None, publications: int = 2
    ) -> None:
        self.base = base
        self.more = [f"more{number}" for number in range(2, publications)]
        self.hmp = hmp
        self.events: deque[str] = deque()
        self.arrival = trio.Event()
        self.accepted = False
        self.last_confirmed = 0
        self.confirmation = trio.Event()
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_publish = self._on_publish
        self.client.connect("127.0.0.1", broker_port)
        broker = self.client.socket()
        assert isinstance(broker, socket.socket)
        self.broker = broker
        self.broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(self, *_: object) -> None:
        self.accepted = True

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.events.append(message.topic)
        self.arrival.set()

    def _on_publish(self, _client: Client, _userdata: object, mid: int, *_: object) -> None:
        self.last_confirmed = mid
        self.confirmation.set()

    async def read(self) -> None:
        """Take in one batch of what the broker sends."""
        await trio.lowlevel.wait_readable(self.broker)
        self.client.loop_read()
        self.broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    async def written(self) -> None:
        """Until the socket has everything."""
        while self.client.want_write():
            await trio.lowlevel.wait_writable(self.broker)
            self.client.loop_write()

    async def confirmed(self, mid: int) -> None:
        """Until the broker has acknowledged this packet."""
        while self.last_confirmed != mid:
            self.confirmation = trio.Event()
            await self.confirmation.wait()

    async def serve(self) -> None:
        """Carry events, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read_for_ever)
            nursery.start_soon(self._keep_alive)
            while True:
                if not self.events:
                    self.arrival = trio.Event()
                    await self.arrival.wait()
                await self._carry(self.events.popleft())

    async def _carry(self, topic: str) -> None:
        assert self.hmp is not None
        room, _, action = topic.removeprefix(f"{self.base}/room/").split("/")
        command, state, paused = _COMMANDS.get(action, _RESUME)
        self.hmp.send(f"{command} {_RECORDING}\n".encode())
        await trio.lowlevel.wait_readable(self.hmp)
        self.hmp.recv(4096)
        self.client.publish(f"{self.base}/room/{room}/state", state, qos=1, retain=True)
        self.client.publish(f"{self.base}/room/{room}/paused", paused, qos=1, retain=True)
        for leaf in self.more:
            self.client.publish(f"{self.base}/room/{room}/{leaf}", state, qos=1, retain=True)
        if self.client.want_write():
            await self.written()

    async def _read_for_ever(self) -> None:
        while True:
            await self.read()

    async def _keep_alive(self) -> None:
        while True:
            await trio.sleep(1)
            self.client.loop_misc()

    async def announce(self, messages: list[tuple[str, str]], qos: int) -> None:
        """Say everything once."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read_for_ever)
            self.client.publish(f"{self.base}/bridge/marker", b"", qos=1)
            for count, (topic, payload) in enumerate(messages):
                self.client.publish(topic, payload, qos=qos, retain=True)
                if count % 100 == 0:
                    await trio.lowlevel.checkpoint()
                    await self.written()
            last = self.client.publish(f"{self.base}/bridge/state", b"online", qos=1, retain=True)
            await self.written()
            await self.confirmed(last.mid)
            nursery.cancel_scope.cancel()


async def _run(options: argparse.Namespace) -> None:
    hmp = None
    if options.hmp_port:
        hmp = socket.create_connection(("127.0.0.1", options.hmp_port))
        hmp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hmp.setblocking(False)
    loop = BareLoop(options.base, options.broker_port, hmp, options.publications)
    while not loop.accepted:
        await loop.read()
    if options.announce is not None:
        text = await trio.Path(options.announce).read_text(encoding="utf-8")
        await loop.announce(json.loads(text), options.qos)
        return
    loop.client.subscribe(f"{options.base}/room/+/press/+", qos=1)
    print("ready", flush=True)
    await loop.serve()


def main() -> None:
    """Run until killed, or until all is announced."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--hmp-port", type=int)
    parser.add_argument("--base", default="hmp")
    parser.add_argument("--publications", type=int, default=2, help="per event (%(default)s)")
    parser.add_argument("--announce", type=Path, help="JSON array of [topic, payload]")
    parser.add_argument("--qos", type=int, default=0, help="of what is announced")
    trio.run(_run, parser.parse_args())


if __name__ == "__main__":
    main()
