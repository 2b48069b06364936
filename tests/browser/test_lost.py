"""Whatever is killed, the page says so and mends by itself, without being loaded again."""

import signal
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .conftest import OpenTab, WebSite
from .test_page import button, record, shows

GREY = "rgb(91, 100, 111)"

OwnSite = Callable[..., WebSite]


def test_hmp_is_killed(own_site: OwnSite, open_tab: OpenTab) -> None:
    """Grey, with what was last known and since when; not for longer than it is so."""
    site = own_site()
    tab = open_tab(f"{site.address}/r0")
    record(tab)
    site.panel.wait_until(lambda _: site.panel.status("r0")["verified_at"], "a verified recording")
    recordings = site.hmp.kill()
    expect(tab.locator("#stale")).to_contain_text("HMP cannot be reached. This was so at ")
    shows(tab, "Recording")
    expect(tab.locator("#face")).to_have_css("background-color", GREY)
    site.hmp.start(recordings)
    expect(tab.locator("#stale")).to_be_hidden()
    expect(tab.locator("#face")).not_to_have_css("background-color", GREY)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_the_bridge_is_gone_and_comes_back(
    own_site: OwnSite,
    open_tab: OpenTab,
    how: signal.Signals,
    record_property: Callable[[str, object], None],
) -> None:
    """Killed, its connections end; stopped, they stay and are silent, as when a network is cut."""
    site = own_site()
    tab = open_tab(f"{site.address}/r0")
    record(tab)
    tab.evaluate("window.loaded = 'once'")
    site.daemon.send_signal(how)
    gone = time.monotonic()
    expect(tab.locator("#lost")).to_contain_text("No connection to the bridge since ")
    record_property("seconds_until_said", round(time.monotonic() - gone, 2))
    print(f"said after {time.monotonic() - gone:.2f} s")
    expect(button(tab, "stop")).to_have_attribute("aria-disabled", "true")
    expect(tab.locator("#link-text")).to_have_text("Not connected")
    if how is signal.SIGKILL:
        site.daemon.wait()
        site.add_daemon(state=site.daemon.state)
    else:
        site.daemon.send_signal(signal.SIGCONT)
    expect(tab.locator("#lost")).to_be_hidden()
    shows(tab, "Recording")
    expect(button(tab, "stop")).to_have_attribute("aria-disabled", "false")
    assert tab.evaluate("window.loaded") == "once"


def test_the_broker_is_killed(own_site: OwnSite, open_tab: OpenTab) -> None:
    """The bridge knows the room: the page shows it and presses, and says that panels cannot."""
    site = own_site()
    tab = open_tab(f"{site.address}/r0")
    shows(tab, "Not recording")
    site.broker.kill()
    expect(tab.locator("#facts")).to_contain_text("no connection to its MQTT broker")
    record(tab)
    expect(tab.locator("#result")).to_have_text("Record: done.")
    assert len(site.hmp.recordings("RECORDING")) == 1
    site.broker.start()
    expect(tab.locator("#facts")).not_to_contain_text("no connection to its MQTT broker")
    site.panel.wait_for_newest("room/r0/state", "recording")


def test_the_answer_to_a_press_is_lost(own_site: OwnSite, open_tab: OpenTab) -> None:
    """What nobody answered is called so, and the state shows what came of it."""
    site = own_site()
    tab = open_tab(f"{site.address}/r0")
    shows(tab, "Not recording")
    site.hmp.freeze()
    button(tab, "record").click()
    shows(tab, "Starting")
    expect(button(tab, "record").locator("small")).to_have_text("Asked …")
    site.daemon.send_signal(signal.SIGKILL)
    expect(tab.locator("#result")).to_contain_text("The bridge gave no answer.")
    site.daemon.wait()
    site.hmp.thaw()
    site.hmp.wait_until(lambda hmp: hmp.recordings("RECORDING"), "the recording")
    site.add_daemon(state=site.daemon.state)
    expect(tab.locator("#lost")).to_be_hidden()


def test_a_press_that_cannot_be_carried_out(own_site: OwnSite, open_tab: OpenTab) -> None:
    """The button and the sentence say so, in words, with HMP's own."""
    site = own_site()
    tab = open_tab(f"{site.address}/r0")
    shows(tab, "Not recording")
    site.hmp.fault("disk_full:startRecording")
    button(tab, "record").click()
    expect(button(tab, "record").locator("small")).to_have_text("Not done")
    expect(tab.locator("#result")).to_contain_text("(070027)")
    expect(tab.locator("#alarm-means")).to_have_text(
        "HMP has no disk space left; nothing is tried again."
    )
    expect(tab.locator("#alarm-do")).to_have_text("Free space on HMP, then record again.")
    shows(tab, "Not recording")
