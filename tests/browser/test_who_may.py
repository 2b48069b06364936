"""Secrets, as somebody meets them in a browser, and what a page of another site comes to."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from .conftest import LOOK, OPERATE, OpenTab, WebSite
from .test_page import button, may, record, shows
from .test_states import check


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Address of another site: an empty page."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_secret_is_asked_for_once(fragile: WebSite, room: str, open_tab: OpenTab) -> None:
    """A wrong one opens nothing; one to look shows no buttons; one to operate does."""
    tab = open_tab(f"{fragile.address}/{room}")
    secret = tab.get_by_label("Secret")
    expect(secret).to_be_focused()
    check(tab, "door")
    secret.fill("something-else")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("alert")).to_have_text("This is not a secret of this page.")
    expect(tab.locator("#room")).to_be_hidden()
    secret.fill(LOOK)
    tab.keyboard.press("Enter")
    shows(tab, "Not recording")
    expect(tab.locator("#controls")).to_be_hidden()
    expect(tab.locator("#look")).to_contain_text("This page may look, and not press.")
    check(tab, "look")
    tab.get_by_role("button", name="Enter a secret").click()
    secret.fill(OPERATE)
    tab.get_by_role("button", name="Enter", exact=True).click()
    record(tab)
    tab.reload()
    shows(tab, "Recording")
    may(tab, "pause", "stop", "mark", "extend")
    # A link brings the secret along, which stays neither in the address nor where scripts look.
    linked = open_tab(f"{fragile.address}/{room}?lang=en#secret={OPERATE}")
    shows(linked, "Recording")
    assert linked.url == f"{fragile.address}/{room}?lang=en"
    assert linked.evaluate("document.cookie") == ""
    assert not fragile.daemon.lines_with(OPERATE)


def test_another_site_s_page_presses_nothing(
    house: WebSite, room: str, open_tab: OpenTab, elsewhere: str
) -> None:
    """Neither by script nor by a form, although nobody has to show a secret here."""
    tab = open_tab(elsewhere)
    mark = house.panel.mark()
    address = f"{house.address}/rooms/{room}/record"
    asked = "(address) => fetch(address, { method: 'POST', mode: 'no-cors' }).catch(String)"
    tab.evaluate(asked, address)  # returns when there is an answer, which it may not see
    with tab.expect_navigation(url=address) as sent:
        tab.evaluate(
            """(address) => {
              const form = document.body.appendChild(document.createElement("form"));
              Object.assign(form, { method: "post", action: address, enctype: "text/plain" });
              form.submit();
            }""",
            address,
        )
    assert sent.value.status == 403
    tab.goto(f"{house.address}/{room}")
    shows(tab, "Not recording")
    record(tab)  # the page's own goes through, and was the only one
    expect(button(tab, "record").locator("small")).to_have_text("Done")
    house.panel.wait_for(f"room/{room}/ack", "record ok", since=mark)
    assert house.panel.payloads(f"room/{room}/ack", mark) == ["record ok"]
