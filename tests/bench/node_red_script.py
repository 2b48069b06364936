"""``python -m tests.bench.node_red_script``: the bridge that people draw in Node-RED.

Five nodes: mqtt in, a function that makes the command, a tcp request that keeps its connection, a
function that makes two messages of the answer, mqtt out. The node is told apart from others by
nothing but the message that it was given last, so it is good for one press at a time.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.brokers import free_port
from tests.npm import NODE_RED

__all__ = ["main"]

_COMMAND = """\
msg.press = msg.topic;
const word = msg.topic.endsWith("/pause") ? "pauseRecording" : "resumeRecording";
msg.payload = word + " 6c6ca9f4-6d8f-4d49-8a53-3a4bd1b86c1b\\n";
return msg;
"""
_STATES = """\
const paused = msg.press.endsWith("/pause"), room = msg.press.split("/press/")[0];
const said = (leaf, payload) => ({topic: `${room}/${leaf}`, payload, qos: 1, retain: true});
return [[said("state", paused ? "paused" : "recording"), said("paused", String(paused))]];
"""


def _nodes(base: str, broker_port: int, hmp_port: int) -> list[dict[str, Any]]:
    broker = {
        "broker": "127.0.0.1",
        "port": str(broker_port),
        "autoConnect": True,
        "protocolVersion": "4",
        "keepalive": "60",
        "cleansession": True,
    }
    heard = {"topic": f"{base}/room/+/press/+", "qos": "1", "datatype": "utf8", "broker": "broker"}
    hmp = {
        "server": "127.0.0.1",
        "port": str(hmp_port),
        "out": "sit",
        "ret": "string",
        "newline": "\\n",
    }
    function = {
        "outputs": 1,
        "timeout": 0,
        "noerr": 0,
        "initialize": "",
        "finalize": "",
        "libs": [],
    }
    said = {"topic": "", "qos": "", "retain": "", "broker": "broker"}
    return [
        {"id": "flow", "type": "tab", "label": "bridge"},
        {"id": "broker", "type": "mqtt-broker", **broker},
        {"id": "in", "type": "mqtt in", "z": "flow", **heard, "wires": [["command"]]},
        {"id": "command", "type": "function", "z": "flow", "func": _COMMAND, **function}
        | {"wires": [["hmp"]]},
        {"id": "hmp", "type": "tcp request", "z": "flow", **hmp, "wires": [["states"]]},
        {"id": "states", "type": "function", "z": "flow", "func": _STATES, **function}
        | {"wires": [["out"]]},
        {"id": "out", "type": "mqtt out", "z": "flow", **said, "wires": []},
    ]


def main() -> None:
    """Become Node-RED, which runs until killed, and says when it is connected."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--hmp-port", type=int, required=True)
    parser.add_argument("--base", default="hmp")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hmp-bench-node-red-"))
    nodes = _nodes(options.base, options.broker_port, options.hmp_port)
    (folder / "flows.json").write_text(json.dumps(nodes), encoding="utf-8")
    settings = {"uiHost": "127.0.0.1", "uiPort": free_port(), "flowFile": "flows.json"}
    (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)};\n")
    script = NODE_RED / "node_modules/node-red/red.js"
    os.execvp("node", ["node", str(script), "-u", str(folder)])  # noqa: S606 - there is none


if __name__ == "__main__":
    main()
