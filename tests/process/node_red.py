"""Node-RED as a process of its own, headless, with one flow."""

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.brokers import free_port
from tests.npm import NODE_RED

from .programs import Program
from .watched import PATIENCE

__all__ = ["NodeRed"]

_SETTINGS = """\
module.exports = {{
  uiHost: "127.0.0.1",
  uiPort: {port},
  flowFile: "flows.json",
  telemetry: {{ enabled: false }},
  logging: {{ console: {{ level: "info" }} }},
}};
"""


class NodeRed:
    """Runs these nodes; returns when its flow has started and is connected to the broker.

    What a debug node is given appears in its output.
    """

    def __init__(self, folder: Path, nodes: list[dict[str, Any]]) -> None:
        folder.mkdir()
        self._port = free_port()
        (folder / "settings.js").write_text(_SETTINGS.format(port=self._port), encoding="utf-8")
        shown = [node | {"console": True} if node["type"] == "debug" else node for node in nodes]
        (folder / "flows.json").write_text(json.dumps(shown), encoding="utf-8")
        script = NODE_RED / "node_modules/node-red/red.js"
        self.program = Program(["node", str(script), "-u", str(folder)])
        self.program.wait_for_line("Started flows")
        self.program.wait_for_line("Connected to broker")

    def press(self, node: str) -> None:
        """Press the button of an inject node, as its editor does."""
        url = f"http://127.0.0.1:{self._port}/inject/{node}"
        request = urllib.request.Request(url, b"", method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            assert answer.status == 200

    @property
    def complaints(self) -> list[str]:
        """Warnings and errors, but those about its own settings."""
        lines = self.program.lines.since()
        began = next(number for number, line in enumerate(lines) if "Starting flows" in line)
        return [line for line in lines[began:] if "[warn]" in line or "[error]" in line]

    def close(self) -> None:
        """End it."""
        self.program.close()
