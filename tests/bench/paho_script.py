"""``python -m tests.bench.paho_script``: the bridge that people write in an afternoon.

paho's own thread, a worker thread with a blocking socket (a callback must not block), no socket
options: what a panel gets today.
"""

import argparse
import queue
import socket
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

__all__ = ["main"]


def main() -> None:
    """Run until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--hmp-port", type=int, required=True)
    parser.add_argument("--base", default="hmp")
    options = parser.parse_args()
    hmp = socket.create_connection(("127.0.0.1", options.hmp_port))
    events: queue.SimpleQueue[str] = queue.SimpleQueue()

    def on_connect(client: Client, *_: Any) -> None:
        client.subscribe(f"{options.base}/room/+/press/+", qos=1)

    def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        events.put(message.topic)

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = on_message
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_connect = on_connect
    client.connect("127.0.0.1", options.broker_port)
    client.loop_start()
    while True:
        room, action = events.get().split("/")[-3::2]
        command = "pauseRecording" if action == "pause" else "resumeRecording"
        hmp.sendall(f"{command} 6c6ca9f4-6d8f-4d49-8a53-3a4bd1b86c1b\n".encode())
        hmp.recv(4096)
        state, paused = ("paused", "true") if action == "pause" else ("recording", "false")
        client.publish(f"{options.base}/room/{room}/state", state, qos=1, retain=True)
        client.publish(f"{options.base}/room/{room}/paused", paused, qos=1, retain=True)


if __name__ == "__main__":
    main()
