"""The broker in pure Python, as a program: `python embedded_broker.py PORT WEBSOCKET_PORT`."""

import asyncio
import signal
import sys

from amqtt.broker import Broker  # type: ignore[import-untyped]


async def serve(port: int, websocket_port: int) -> None:
    """Until SIGTERM."""
    broker = Broker(
        {
            "listeners": {
                "default": {"type": "tcp", "bind": f"127.0.0.1:{port}"},
                "websocket": {"type": "ws", "bind": f"127.0.0.1:{websocket_port}"},
            },
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await broker.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
