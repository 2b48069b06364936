"""Whatever is killed, the page says so and mends by itself, without being loaded again."""

import signal
import time
from collections.abc import Callable

from playwright.sync_api import expect

from .conftest import OpenTab, WebSite
from .test_page import button, may, record, shows

GREY = "rgb(91, 100, 111)"


def test_hmp_is_killed(fragile: WebSite, room: str, open_tab: OpenTab) -> None:
    """Grey, with what was last known and since when; not for longer than it is so."""
    tab = open_tab(f"{fragile.address}/{room}{fragile.secret}")
    record(tab)
    recordings = fragile.hmp.kill()
    expect(tab.locator("#stale")).to_contain_text("HMP cannot be reached. This was so at ")
    shows(tab, "Recording")
    expect(tab.locator("#face")).to_have_css("background-color", GREY)
    fragile.hmp.start(recordings)
    expect(tab.locator("#stale")).to_be_hidden()
    expect(tab.locator("#face")).not_to_have_css("background-color", GREY)


def test_the_bridge_is_stopped_and_killed(
    fragile: WebSite,
    room: str,
    open_tab: OpenTab,
    record_property: Callable[[str, object], None],
) -> None:
    """Stopped, its connections stay and are silent, as when a network is cut; killed, they end."""
    tab = open_tab(f"{fragile.address}/{room}{fragile.secret}")
    record(tab)
    tab.evaluate("window.loaded = 'once'")
    for how in (signal.SIGSTOP, signal.SIGKILL):
        gone = time.monotonic()
        fragile.daemon.send_signal(how)
        expect(tab.locator("#lost")).to_contain_text("No connection to the bridge since ")
        record_property(f"seconds_until_said_{how.name}", round(time.monotonic() - gone, 2))
        expect(tab.locator("#link-text")).to_have_text("Not connected")
        may(tab)
        if how is signal.SIGSTOP:
            fragile.daemon.send_signal(signal.SIGCONT)
        else:
            fragile.daemon.wait()
            fragile.add_daemon(state=fragile.daemon.state)
        expect(tab.locator("#lost")).to_be_hidden()
        shows(tab, "Recording")
        may(tab, "pause", "stop", "mark", "extend")
    assert tab.evaluate("window.loaded") == "once"


def test_the_broker_is_killed_and_then_a_press_has_no_answer(
    fragile: WebSite, room: str, open_tab: OpenTab
) -> None:
    """The page goes on without a broker. What nobody answered it calls so, and shows what is."""
    tab = open_tab(f"{fragile.address}/{room}{fragile.secret}")
    shows(tab, "Not recording")
    fragile.broker.kill()
    expect(tab.locator("#facts")).to_contain_text("no connection to its MQTT broker")
    record(tab)
    expect(tab.locator("#result")).to_have_text("Record: done.")
    fragile.broker.start()
    expect(tab.locator("#facts")).not_to_contain_text("no connection to its MQTT broker")
    fragile.panel.wait_for_newest(f"room/{room}/state", "recording")
    fragile.hmp.freeze()
    button(tab, "pause").click()
    shows(tab, "Pausing")
    expect(button(tab, "resume").locator("small")).to_have_text("Asked …")
    fragile.daemon.send_signal(signal.SIGKILL)
    expect(tab.locator("#result")).to_contain_text("The bridge gave no answer.")
    fragile.daemon.wait()
    fragile.hmp.thaw()
    fragile.add_daemon(state=fragile.daemon.state)
    shows(tab, "Paused")


def test_a_press_that_cannot_be_carried_out(house: WebSite, room: str, open_tab: OpenTab) -> None:
    """The button and the sentence say so, in words, with HMP's own; the alarm what to do."""
    tab = open_tab(f"{house.address}/{room}")
    shows(tab, "Not recording")
    house.hmp.fault("disk_full:startRecording:count=1")
    button(tab, "record").click()
    expect(button(tab, "record").locator("small")).to_have_text("Not done")
    expect(tab.locator("#result")).to_contain_text("(070027)")
    means = "HMP has no disk space left; nothing is tried again."
    expect(tab.locator("#alarm-means")).to_have_text(means)
    expect(tab.locator("#alarm-do")).to_have_text("Free space on HMP, then record again.")
    shows(tab, "Not recording")
