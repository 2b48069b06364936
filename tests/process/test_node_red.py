"""The flows of `config/node-red` in the real Node-RED: they press, and see what comes of it."""

import json
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.npm import NODE_RED, has_npm_package

from .node_red import NodeRed
from .site import MakeSite, Site, with_api

FLOWS = Path(__file__).parents[2] / "config/node-red"

pytestmark = pytest.mark.skipif(
    not has_npm_package(NODE_RED, "node-red"), reason="needs Node-RED, which .ci/run installs"
)


def flow(name: str, made: Site, **words: str) -> list[dict[str, Any]]:
    """A flow as it is shipped, with the broker, base topic and room of a site, and other words."""
    text = (FLOWS / f"{name}.json").read_text(encoding="utf-8")
    given = {"hmp/room/boardroom/": f"{made.base}/room/r0/", "hmp/server/": f"{made.base}/server/"}
    for before, after in {**given, **words}.items():
        assert before in text or before not in words
        text = text.replace(before, after)
    nodes: list[dict[str, Any]] = json.loads(text)
    return [
        node | {"port": str(made.broker.port)} if node["type"] == "mqtt-broker" else node
        for node in nodes
    ]


@pytest.mark.mqtt5
def test_a_room_panel(site: MakeSite, stack: ExitStack, tmp_path: Path) -> None:
    made = site(2)
    panel = stack.enter_context(closing(NodeRed(tmp_path / "red", flow("room-panel", made))))
    seen = panel.program
    seen.wait_for_line("[debug:state]", "idle")
    for action, state in (
        ("record", "recording"),
        ("pause", "paused"),
        ("resume", "recording"),
        ("stop", "idle"),
    ):
        since = len(seen.lines)
        panel.press(f"hmp.press.{action}")
        seen.wait_for_line("[debug:state]", state, since=since)
        seen.wait_for_line("[debug:tally]", since=since)
        seen.wait_for_line("[debug:ack]", since=since)
    assert [len(made.hmp.commands(f"{word}Recording")) for word in ("start", "stop")] == [1, 1]
    assert panel.complaints == []


@pytest.mark.mqtt5
def test_request_and_response(site: MakeSite, stack: ExitStack, tmp_path: Path) -> None:
    made = with_api(site, "getRecordingStatus")
    made.panel.publish("room/r0/set", "record")
    made.panel.wait_for("room/r0/ack", "record ok")
    recording = made.panel.newest("room/r0/recording_id")
    assert recording is not None
    nodes = flow(
        "request-and-response", made, **{"f678f415-0665-48cd-b141-1e95283469f1": recording}
    )
    panel = stack.enter_context(closing(NodeRed(tmp_path / "red", nodes)))
    panel.press("hmp.ask")
    panel.program.wait_for_line("RECORDING")
    assert len(panel.program.lines_with("[debug:answer]")) == 1
    assert panel.complaints == []
