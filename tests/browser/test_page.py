"""A room's page in Chromium: real bridge, broker and HMP; a press, and what becomes of it."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from .conftest import OpenTab, WebSite

RED = "rgb(196, 18, 47)"


ASKED = """(() => {
  window.asked = [];
  const noted = (owner, name, word) => {
    const real = owner[name];
    owner[name] = function (...given) {
      asked.push(`${word} ${given[0] ?? this.tagName}`);
      return real.apply(this, given);
    };
  };
  noted(WakeLock.prototype, "request", "lock");
  noted(Element.prototype, "requestFullscreen", "fullscreen");
})()"""
"""Has `asked` tell what the page asks the browser for, which it is still asked for."""


def shows(tab: Page, state: str) -> None:
    """The word of the state is to be read."""
    expect(tab.locator("#word")).to_have_text(state)


def button(tab: Page, action: str) -> Locator:
    return tab.locator(f'[data-action="{action}"]')


def may(tab: Page, *actions: str) -> None:
    """These buttons are enabled, and no others."""
    for action in ("record", "pause", "stop", "mark", "extend"):
        expect(button(tab, action)).to_have_attribute(
            "aria-disabled", "false" if action in actions else "true"
        )


def record(tab: Page) -> None:
    button(tab, "record").click()
    shows(tab, "Recording")


def test_a_press_and_it_is_red(house: WebSite, room: str, open_tab: OpenTab) -> None:
    """Colour, word and form; the button says what became of it; the panel hears the same."""
    tab = open_tab(f"{house.address}/{room}")
    shows(tab, "Not recording")
    may(tab, "record")
    button(tab, "record").click()
    shows(tab, "Recording")
    expect(tab.locator("#face")).to_have_css("background-color", RED)
    expect(tab.locator("#form use")).to_have_attribute("href", "#i-recording")
    expect(button(tab, "record").locator("small")).to_have_text("Done")
    expect(tab.locator("#result")).to_have_text("Record: done.")
    expect(tab).to_have_title(re.compile("^● Recording"))
    house.panel.wait_for(f"room/{room}/ack", "record ok")
    assert [row["state"] for row in house.hmp.recordings("RECORDING")].count("RECORDING") >= 1
    may(tab, "pause", "stop", "mark", "extend")
    expect(tab.locator("#elapsed")).to_have_text(re.compile("^0:(00:0[3-9]|00:[1-5]|0[1-9])"))
    # Who comes later counts from the same second on.
    counted = tab.locator("#elapsed").inner_text()
    later = open_tab(f"{house.address}/{room}")
    shows(later, "Recording")
    expect(later.locator("#elapsed")).not_to_be_empty()
    assert later.locator("#elapsed").inner_text() >= counted


def test_pause_resume_mark_and_extend(house: WebSite, room: str, open_tab: OpenTab) -> None:
    tab = open_tab(f"{house.address}/rooms/{room}")
    record(tab)
    tab.locator("#mark-title").fill('He said "hi"')
    button(tab, "mark").click()
    expect(tab.locator("#result")).to_have_text("Mark: done.")
    expect(tab.locator("#mark-title")).to_have_value("")
    marked = [each["line"] for each in house.hmp.commands("addHotmark")]
    assert sum('He said \\"hi\\"' in line for line in marked) == 1
    button(tab, "pause").click()
    shows(tab, "Paused")
    expect(tab.locator("#form use")).to_have_attribute("href", "#i-paused")
    stood = tab.locator("#elapsed").inner_text()
    button(tab, "resume").click()
    shows(tab, "Recording")
    expect(button(tab, "pause").locator("small")).to_be_empty()  # what is done is the resume
    assert tab.locator("#elapsed").inner_text() >= stood
    ends = tab.locator("#facts li", has_text="Ends by itself").locator("span")
    before = ends.inner_text()
    button(tab, "extend").click()
    expect(tab.locator("#result")).to_have_text("Extend: done.")
    expect(ends).not_to_have_text(before)


def test_stop_is_held(house: WebSite, room: str, open_tab: OpenTab) -> None:
    """Brushing past does nothing: neither a tap, nor a finger that slides off."""
    tab = open_tab(f"{house.address}/{room}")
    record(tab)
    stop = button(tab, "stop")
    expect(stop.locator("small")).to_have_text("Hold for a second")
    box = stop.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mark = house.panel.mark()
    stop.click()
    tab.mouse.move(*middle)
    tab.mouse.down()
    tab.mouse.move(middle[0], box["y"] - 40)
    expect(stop).not_to_have_attribute("data-held", "")
    tab.mouse.up()
    tab.mouse.move(*middle)
    button(tab, "mark").click()  # what was not held would have been answered before this
    expect(tab.locator("#result")).to_have_text("Mark: done.")
    house.panel.wait_for(f"room/{room}/ack", "mark ok", since=mark)
    tab.mouse.move(*middle)
    stop.evaluate(  # it may be held and done within one look from here
        "node => new MutationObserver(() => { node.seen ||= node.hasAttribute('data-held'); })"
        ".observe(node, { attributes: true })"
    )
    tab.mouse.down()
    shows(tab, "Not recording")
    tab.mouse.up()
    assert stop.evaluate("node => node.seen")
    expect(stop.locator("small")).to_have_text("Done")
    house.panel.wait_for(f"room/{room}/ack", "stop ok", since=mark)
    assert house.panel.payloads(f"room/{room}/ack", mark) == ["mark ok", "stop ok"]


def test_the_keyboard_is_asked_before_it_stops(
    house: WebSite, room: str, open_tab: OpenTab
) -> None:
    tab = open_tab(f"{house.address}/{room}")
    may(tab, "record")
    button(tab, "record").focus()
    tab.keyboard.press("Enter")
    shows(tab, "Recording")
    mark = house.panel.mark()
    button(tab, "stop").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("dialog", name="Stop the recording?")).to_be_visible()
    expect(tab.get_by_role("button", name="Keep recording")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(button(tab, "stop")).to_be_focused()
    tab.keyboard.press("Space")
    tab.keyboard.press("Enter")  # keeps
    expect(tab.get_by_role("dialog")).to_be_hidden()
    tab.keyboard.press("Space")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    shows(tab, "Not recording")
    house.panel.wait_for(f"room/{room}/ack", "stop ok", since=mark)
    house.panel.wait_for(f"room/{room}/ack", "stop ok", since=mark)
    assert house.panel.payloads(f"room/{room}/ack", mark) == ["stop ok"]


def test_two_tablets_agree(
    house: WebSite, room: str, open_tab: OpenTab, record_property: Callable[[str, object], None]
) -> None:
    """Both see what one asks for, and the panel's press too; how far apart is written down."""
    tabs = [open_tab(f"{house.address}/{room}") for _ in range(2)]
    for tab in tabs:
        shows(tab, "Not recording")
        tab.evaluate(
            """() => {
              const word = document.querySelector("#word");
              new MutationObserver(() => {
                const now = performance.timeOrigin + performance.now();
                if (word.textContent === "Recording") window.seen ??= now;
              }).observe(word, { childList: true, characterData: true, subtree: true });
            }"""
        )
    record(tabs[0])
    shows(tabs[1], "Recording")
    first, second = [tab.evaluate("window.seen") for tab in tabs]
    record_property("milliseconds_apart", round(abs(first - second), 1))
    print(f"two tablets: {abs(first - second):.1f} ms apart")
    house.panel.press(room, "stop")
    for tab in tabs:
        shows(tab, "Not recording")
        expect(tab.locator("#result")).to_have_text("Stop: done.")


def test_all_rooms(house: WebSite, room: str, open_tab: OpenTab) -> None:
    """The list shows each room as it is, and leads to its page; on a wall it is only looked at."""
    tab = open_tab(f"{house.address}/")
    tile = tab.locator(f'[data-room="{room}"]')
    expect(tile.locator(".word")).to_have_text("Not recording")
    house.panel.press(room, "record")
    expect(tile.locator(".word")).to_have_text("Recording")
    assert tab.locator("#tiles li").count() == len(house.tables["rooms"])
    tile.get_by_role("link").click()
    shows(tab, "Recording")
    tab.goto(f"{house.address}/?kiosk")
    expect(tab.locator("#tiles .word").first).to_be_visible()
    overflow = "document.documentElement.scrollHeight - innerHeight"
    assert tab.evaluate(overflow) <= 0


def test_a_kiosk_fills_the_screen_and_stays_on(
    house: WebSite, room: str, open_tab: OpenTab
) -> None:
    """At the first touch, and the lock again once the page is seen again; elsewhere neither."""
    plain = open_tab(f"{house.address}/{room}")
    plain.add_init_script(ASKED)
    plain.reload()
    shows(plain, "Not recording")
    plain.locator("#face").click()
    assert plain.evaluate("asked") == []
    assert plain.evaluate("document.fullscreenElement") is None
    tab = open_tab("about:blank")
    tab.add_init_script(ASKED)
    tab.goto(f"{house.address}/{room}?kiosk")
    shows(tab, "Not recording")
    expect(tab.locator("#back")).to_be_hidden()
    assert tab.evaluate("asked") == ["lock screen"]
    tab.locator("#face").click()
    tab.wait_for_function("document.fullscreenElement === document.documentElement")
    tab.locator("#face").click()
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert tab.evaluate("asked") == ["lock screen", "fullscreen HTML", "lock screen"]


def test_german(house: WebSite, room: str, open_tab: OpenTab) -> None:
    tab = open_tab(f"{house.address}/{room}?lang=de")
    shows(tab, "Keine Aufnahme")
    expect(button(tab, "record").locator(".what")).to_have_text("Aufnehmen")
    assert tab.locator("html").get_attribute("lang") == "de"
    german = open_tab(f"{house.address}/{room}", locale="de-CH")
    shows(german, "Keine Aufnahme")


def test_a_room_that_is_not_there(house: WebSite, open_tab: OpenTab) -> None:
    tab = open_tab(f"{house.address}/rooms/nowhere")
    expect(tab.locator("#absent-text")).to_have_text("There is no room “nowhere” here.")
