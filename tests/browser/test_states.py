"""Every state of a room as it looks: photographed, and read by axe, on tablet and phone.

The pictures are written to ``build/screenshots`` of the checkout.
"""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.npm import AXE

from .conftest import OpenTab, WebSite
from .test_page import button, shows

PICTURES = Path(__file__).parents[2] / "build/screenshots"
FOUND = """async () => {
  const { passes, violations } = await axe.run();
  if (!passes.length) throw new Error("axe has looked at nothing");
  return violations.map(
    (each) => `${each.id}: ${each.help}: ${each.nodes.map((node) => node.html).join(" ")}`);
}"""
HIDDEN = """() => [...document.querySelectorAll("main:not([hidden]) *")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth + 1)
  .map((each) => each.outerHTML)"""


class Album:
    """The same address on a tablet in light and English, and on a phone in dark and German."""

    def __init__(self, open_tab: OpenTab, address: str) -> None:
        self.tab = open_tab(address, width=1024, height=600, color_scheme="light")
        phone = open_tab(address, width=390, height=844, color_scheme="dark", locale="de-DE")
        self.tabs = {"tablet": self.tab, "phone": phone}
        PICTURES.mkdir(parents=True, exist_ok=True)

    def take(self, name: str, form: str) -> None:
        """Once all show this form: pictures; axe finds nothing, and nothing sticks out."""
        for key, tab in self.tabs.items():
            expect(tab.locator("body")).to_have_attribute("data-form", form)
            tab.screenshot(path=PICTURES / f"{name}-{key}.png")
            check(tab, f"{name}-{key}")


def check(tab: Page, name: str) -> None:
    """Axe finds nothing, and nothing sticks out at the side."""
    if tab.evaluate("!window.axe"):
        tab.evaluate(axe())
    assert tab.evaluate(FOUND) == [], name
    assert tab.evaluate(HIDDEN) == [], name


def axe() -> str:
    """The script that reads a page as somebody does who sees or moves little."""
    if AXE.exists():
        return AXE.read_text(encoding="utf-8")
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"CI=true, and axe is not in {AXE}: run .ci/run")
    pytest.skip("needs axe-core from npm, as .ci/run installs it")


def test_every_state(fragile: WebSite, room: str, open_tab: OpenTab) -> None:
    album = Album(open_tab, f"{fragile.address}/{room}{fragile.secret}")
    album.take("idle", "idle")
    fragile.hmp.freeze()
    meeting = {"event": "meeting_start", "id": "1", "title": "Weekly", "duration": 50}
    fragile.panel.publish(f"room/{room}/event", json.dumps(meeting))
    shows(album.tab, "Starting")
    album.take("starting", "changing")
    fragile.hmp.thaw()
    album.take("recording", "recording")
    fragile.hmp.freeze()
    button(album.tab, "pause").click()
    shows(album.tab, "Pausing")
    album.take("pausing", "changing")
    fragile.hmp.thaw()
    album.take("paused", "paused")
    fragile.hmp.freeze()
    button(album.tab, "resume").click()
    shows(album.tab, "Resuming")
    album.take("resuming", "changing")
    fragile.hmp.thaw()
    shows(album.tab, "Recording")
    recordings = fragile.hmp.kill()
    expect(album.tab.locator("#stale")).to_be_visible()
    album.take("stale", "recording")
    since = album.tab.locator("#stale").inner_text()
    # Opened later, it says the same time.
    corridor = open_tab(f"{fragile.address}/?kiosk{fragile.secret}")
    expect(corridor.locator(f'[data-room="{room}"] .since')).to_have_text(since)
    check(corridor, "stale-corridor")
    corridor.close()
    fragile.hmp.start(recordings)
    expect(album.tab.locator("#stale")).to_be_hidden()
    fragile.hmp.freeze()
    fragile.panel.press(room, "stop")
    shows(album.tab, "Stopping")
    album.take("stopping", "changing")
    fragile.hmp.thaw()
    shows(album.tab, "Not recording")
    button(album.tab, "record").click()
    shows(album.tab, "Recording")
    session = fragile.sessions()[room]
    [row] = [each for each in fragile.hmp.recordings("RECORDING") if each["session"] == session]
    fragile.hmp.do("fail", recording=row["id"])
    shows(album.tab, "Error")
    album.take("error", "error")
    fragile.hmp.fault("lose_reply:startRecording:count=1")
    button(album.tab, "record").click()
    shows(album.tab, "Not certain")
    album.take("unknown", "unknown")
