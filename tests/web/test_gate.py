"""What the door keeps out, who is let in, and what every answer bears."""

from typing import Any

import httpx
import pytest
import trio

from bridge.web.gate import host_of
from bridge.web.pages import POLICY

from .doors import Site, configuration

ROOM = "/rooms/boardroom"
SECRETS = {"operate_secret": "operate-all", "look_secret": "look-all!"}


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("Box.example.edu:8080", "box.example.edu"),
        ("[::1]:8080", "::1"),
        ("localhost.", "localhost"),
        ("a@b:80", "b"),
        ("", ""),
        ("[", ""),
    ],
)
def test_the_host_that_a_header_names(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize("path", ["/", "/boardroom", ROOM, "/rooms", "/openapi.json", "/nothing.x"])
async def test_every_answer_keeps_the_page_to_itself(
    path: str, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running() as client:
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "no-" in headers.get("cache-control", "no-store")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "box", "192.0.2.1"])
async def test_without_a_secret_only_this_box_is_named(
    host: str, autojump_clock: trio.abc.Clock
) -> None:
    """A name of somebody's that points at 127.0.0.1 would make a page of his the bridge's own."""
    site = Site()
    async with site.running():
        for method, path in (("GET", "/rooms"), ("POST", f"{ROOM}/record"), ("GET", "/")):
            async with site.client(host=host) as client:
                answer = await client.request(method, path)
                assert (answer.status_code, answer.json()["error"]["code"]) == (421, "foreign_host")
        assert site.house.executed.count("startRecording") == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
async def test_this_box_by_its_names(host: str, autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running(), site.client(host=host) as client:
        assert (await client.get("/rooms")).status_code == 200


async def test_names_that_are_listed(autojump_clock: trio.abc.Clock) -> None:
    site = Site(web={"hosts": ["box.example.edu"], **SECRETS})
    async with site.running():
        async with site.client(host="Box.Example.edu") as client:
            assert (await client.get("/")).status_code == 200
        async with site.client(host="localhost") as client:
            assert (await client.get("/")).status_code == 421


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8080"}, False),
        ({"Origin": "http://localhost:8080"}, True),
        ({"Origin": "http://localhost:9000"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
    ],
)
async def test_presses_of_other_sites(
    headers: dict[str, str], passes: bool, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running() as client:
        answer = await client.post(f"{ROOM}/record", headers=headers)
        assert (answer.status_code == 200) is passes
        assert answer.status_code in (200, 403)
        assert site.house.executed.count("startRecording") == int(passes)


async def test_a_link_from_elsewhere_opens_the_page_and_nothing_else(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running() as client:
        followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert (await client.get("/boardroom", headers=followed)).status_code == 200
        embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert (await client.get("/events", headers=embedded)).status_code == 403


async def signed_in(client: httpx.AsyncClient, secret: str) -> httpx.Response:
    """The answer to a secret."""
    return await client.post("/session", json={"secret": secret})


async def test_nothing_without_the_secret(autojump_clock: trio.abc.Clock) -> None:
    site = Site(web=SECRETS)
    async with site.running() as client:
        for path in ("/rooms", ROOM, "/events", f"{ROOM}/events", "/metrics", "/rooms/none"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
        assert (await client.post(f"{ROOM}/record")).status_code == 401
        for path in ("/", "/boardroom", "/health/live", "/openapi.json"):
            assert (await client.get(path)).status_code == 200


async def test_a_secret_is_exchanged_for_a_cookie(autojump_clock: trio.abc.Clock) -> None:
    site = Site(web=SECRETS)
    async with site.running() as client:
        answer = await signed_in(client, "operate-all")
        assert answer.status_code == 204
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
        assert "operate-all" not in cookie
        assert (await client.post(f"{ROOM}/record")).status_code == 200
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.delete("/session")).status_code == 204
        assert (await client.get("/rooms")).status_code == 401


async def test_over_tls_the_cookie_goes_nowhere_else(autojump_clock: trio.abc.Clock) -> None:
    site = Site(web=SECRETS)
    async with site.running() as client:
        client.base_url = httpx.URL("https://localhost:8080")
        assert "Secure" in (await signed_in(client, "operate-all")).headers["set-cookie"]


async def test_who_may_look_may_not_press(autojump_clock: trio.abc.Clock) -> None:
    site = Site(web=SECRETS)
    async with site.running() as client:
        await signed_in(client, "look-all!")
        view = (await client.get(ROOM)).json()
        assert view["role"] == "look"
        assert not any(view["actions"].values())
        answer = await client.post(f"{ROOM}/record")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
        bearer = {"Authorization": "Bearer operate-all"}
        assert (await client.post(f"{ROOM}/record", headers=bearer)).status_code == 200


async def test_a_secret_of_another_room_says_nothing_of_this_one(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site(operate_secret="for-the-board")
    async with site.running() as client:
        await signed_in(client, "for-the-board")
        assert (await client.get(ROOM)).json()["role"] == "operate"
        assert list((await client.get("/rooms")).json()["rooms"]) == ["boardroom"]
        for name in ("lobby", "none"):  # whether there is such a room or not
            assert (await client.get(f"/rooms/{name}")).status_code == 403
        assert (await client.get("/metrics")).status_code == 403


async def test_wrong_secrets_are_slowed_down(autojump_clock: trio.abc.Clock) -> None:
    site = Site(web=SECRETS)
    async with site.running() as client:
        for _ in range(5):
            assert (await signed_in(client, "guessed")).status_code == 401
        answer = await signed_in(client, "operate-all")
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 10
        bearer = {"Authorization": "Bearer operate-all"}
        assert (await client.get("/rooms", headers=bearer)).status_code == 429
        async with site.client(address="192.0.2.9") as other:
            assert (await signed_in(other, "operate-all")).status_code == 204
        await trio.sleep(10)
        assert (await signed_in(client, "operate-all")).status_code == 204


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b'{"secret": 5}', b"[" * 60_000])
async def test_what_is_no_secret(body: bytes, autojump_clock: trio.abc.Clock) -> None:
    site = Site(web=SECRETS)
    async with site.running() as client:
        assert (await client.post("/session", content=body)).status_code == 422


async def test_a_secret_that_no_text_has_is_a_wrong_one(autojump_clock: trio.abc.Clock) -> None:
    site = Site(web=SECRETS)
    async with site.running() as client:
        for _ in range(5):
            answer = await client.post("/session", content=b'{"secret": "\\ud800"}')
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "wrong_secret")
        assert (await signed_in(client, "operate-all")).status_code == 429


async def test_the_description_names_the_rooms_that_its_reader_may_see(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site(look_secret="for-the-board")
    async with site.running() as client:
        assert "boardroom" not in (await client.get("/openapi.json")).text
        await signed_in(client, "for-the-board")
        assert '"boardroom"' in (await client.get("/openapi.json")).text


async def test_other_secrets_are_in_force_at_once(autojump_clock: trio.abc.Clock) -> None:
    site = Site(web=SECRETS)
    async with site.running() as client:
        await signed_in(client, "operate-all")
        changed: dict[str, Any] = {"operate_secret": "another-one"}
        site.web.reconfigured(configuration(web=changed))
        assert (await client.get("/rooms")).status_code == 401
        await signed_in(client, "another-one")
        assert (await client.get("/rooms")).status_code == 200


async def test_what_there_is_not(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        for path in ("/favicon.ico", "/static/none", "/rooms/none", "/a/b/c"):
            answer = await client.get(path)
            assert answer.status_code == 404, path
        assert (await client.put("/rooms")).status_code == 405
        assert (await client.get(ROOM, headers={"Accept": "text/html"})).text.startswith("<!")
        tag = (await client.get("/")).headers["etag"]
        assert (await client.get("/", headers={"If-None-Match": tag})).status_code == 304


async def test_other_versions_of_http_are_not_spoken(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        raise AssertionError

    scope = {"type": "http", "http_version": "2", "method": "GET", "path": "/", "headers": []}
    await site.web.door.app(scope, receive, send)
    assert said[0]["status"] == 505
