"""The second port: one JSON object per line in, one per line out, for whoever is not the API.

.. code-block:: console

    $ nc localhost 23234
    {"do": "pause", "recording": "f678f415-0665-48cd-b141-1e95283469f1"}
    {"ok": true}
    {"do": "pause"}
    {"error": "pause needs recording (text)"}

``{"do": "help"}`` lists what can be done. There is no authorization: it belongs on loopback.
"""

import json

import trio

from .operations import ControlError, perform
from .server import Simulator
from .wire import address_of

__all__ = ["serve_control"]

_LONGEST_LINE = 1_048_576


def _answer(simulator: Simulator, line: bytes) -> bytes:
    try:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ControlError(f"not JSON: {error}") from error
        answer = perform(simulator, request)
        simulator.say(f"control {line.decode(errors='replace')}")
    except (ValueError, OSError) as error:
        answer = {"error": str(error)}
    return json.dumps(answer).encode() + b"\n"


async def _converse(simulator: Simulator, stream: trio.SocketStream) -> None:
    waiting = b""
    try:
        async with stream:
            async for data in stream:
                *lines, waiting = (waiting + data).split(b"\n")
                for line in lines:
                    if line.strip():
                        await stream.send_all(_answer(simulator, line.strip()))
                if len(waiting) > _LONGEST_LINE:
                    await stream.send_all(b'{"error": "the line is too long"}\n')
                    return
    except trio.BrokenResourceError:
        return


async def serve_control(
    simulator: Simulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the control port until cancelled; reports the port through ``nursery.start``.

    Raises `OSError` when the address cannot be listened on.
    """
    _, address = await address_of(host, port)
    listeners = await trio.open_tcp_listeners(port, host=str(address[0]))
    bound = listeners[0].socket.getsockname()[1]

    async def handler(stream: trio.SocketStream) -> None:
        await _converse(simulator, stream)

    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, handler, listeners)
        task_status.started(bound)
