"""Every state of a room as it looks: photographed, and read by axe, on tablet and phone.

The pictures are written to ``build/screenshots`` of the checkout.
"""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.npm import AXE

from .conftest import OpenTab, OwnSite
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


def test_every_state(own_site: OwnSite, open_tab: OpenTab) -> None:
    site = own_site(
        room={
            "name": "Boardroom",
            "on_lost_start": "hold",
            "on_interrupted": "hold",
            "details": {"title": "{{ room.name }}: {{ meeting.title or 'recording' }}"},
        }
    )
    album = Album(open_tab, f"{site.address}/r0")
    album.take("idle", "idle")
    site.hmp.freeze()
    meeting = {"event": "meeting_start", "id": "1", "title": "Weekly", "duration": 50}
    site.panel.publish("room/r0/event", json.dumps(meeting))
    shows(album.tab, "Starting")
    album.take("starting", "changing")
    site.hmp.thaw()
    album.take("recording", "recording")
    site.hmp.freeze()
    button(album.tab, "pause").click()
    shows(album.tab, "Pausing")
    album.take("pausing", "changing")
    site.hmp.thaw()
    album.take("paused", "paused")
    site.hmp.freeze()
    button(album.tab, "resume").click()
    shows(album.tab, "Resuming")
    album.take("resuming", "changing")
    site.hmp.thaw()
    shows(album.tab, "Recording")
    recordings = site.hmp.kill()
    expect(album.tab.locator("#stale")).to_be_visible()
    album.take("stale", "recording")
    since = album.tab.locator("#stale").inner_text()
    corridor = open_tab(f"{site.address}/?kiosk")  # opened later, it says the same time
    expect(corridor.locator(".since")).to_have_text(since)
    check(corridor, "stale-corridor")
    corridor.close()
    site.hmp.start(recordings)
    expect(album.tab.locator("#stale")).to_be_hidden()
    site.hmp.freeze()
    site.panel.press("r0", "stop")
    shows(album.tab, "Stopping")
    album.take("stopping", "changing")
    site.hmp.thaw()
    shows(album.tab, "Not recording")
    button(album.tab, "record").click()
    shows(album.tab, "Recording")
    [row] = site.hmp.recordings("RECORDING")
    site.hmp.do("fail", recording=row["id"])
    shows(album.tab, "Error")
    album.take("error", "error")
    site.hmp.fault("lose_reply:startRecording:count=1")
    button(album.tab, "record").click()
    shows(album.tab, "Not certain")
    album.take("unknown", "unknown")
