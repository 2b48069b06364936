"""``python -m tests.bench.aiomqtt_script``: the bridge that people write with asyncio.

One task for all of it, as aiomqtt's own examples have it; a publication at QoS 1 waits for the
broker's answer. No socket options.
"""

import argparse
import asyncio

import aiomqtt

__all__ = ["main"]


async def _serve(base: str, broker_port: int, hmp_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hmp_port)
    async with aiomqtt.Client("127.0.0.1", broker_port) as client:
        await client.subscribe(f"{base}/room/+/press/+", qos=1)
        print("ready", flush=True)
        async for message in client.messages:
            room, action = str(message.topic).split("/")[-3::2]
            command = "pauseRecording" if action == "pause" else "resumeRecording"
            writer.write(f"{command} 6c6ca9f4-6d8f-4d49-8a53-3a4bd1b86c1b\n".encode())
            await writer.drain()
            await reader.readline()
            state, paused = ("paused", "true") if action == "pause" else ("recording", "false")
            await client.publish(f"{base}/room/{room}/state", state, qos=1, retain=True)
            await client.publish(f"{base}/room/{room}/paused", paused, qos=1, retain=True)


def main() -> None:
    """Run until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--hmp-port", type=int, required=True)
    parser.add_argument("--base", default="hmp")
    options = parser.parse_args()
    asyncio.run(_serve(options.base, options.broker_port, options.hmp_port))


if __name__ == "__main__":
    main()
