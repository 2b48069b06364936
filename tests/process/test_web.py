"""The web door of a whole bridge: presses and pages while everything around it fails."""

import json
import signal
import socket
import ssl
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.mqtt.topics import timestamp
from bridge.tls.certificate import not_after
from tests.broker_fixtures import Launch
from tests.brokers import Certificates

from .browser import client, opened, with_web
from .reloading import Reloading
from .requester import Ask
from .site import MakeSite, Site
from .watched import PATIENCE

ROOM = "/rooms/r0"


def press(asker: httpx.Client, action: str, **body: Any) -> tuple[int, dict[str, Any]]:
    """Status and document of the answer."""
    answer = asker.post(f"{ROOM}/{action}", json=body or None)
    return answer.status_code, answer.json()


def test_a_press_here_and_one_there_are_the_same(site: MakeSite) -> None:
    s = with_web(site)
    with client(s) as asker, opened(asker, f"{ROOM}/events") as events:
        assert events.view()["state"] == "idle"
        status, said = press(asker, "record", title="Weekly", id="h1")
        assert (status, said["outcome"], said["state"]) == (200, "ok", "recording")
        assert events.view(state="recording")["title"] == "Weekly"
        s.panel.wait_for("room/r0/ack", "record ok")
        result = s.panel.wait_for("room/r0/result")
        assert (
            result.payload
            == httpx.post(
                f"{asker.base_url}rooms/r0/record",
                json={"title": "Weekly", "id": "h1"},
                trust_env=False,
            ).text
        )
        s.panel.press("r0", "stop")
        assert events.view(state="idle")["recording"] is False
    assert len(s.hmp.commands("startRecording")) == 1


def test_the_broker_away_stops_nobody(site: MakeSite, launch: Launch) -> None:
    broker = launch()
    s = with_web(site, broker=broker)
    with client(s) as asker, opened(asker, "/events") as events:
        broker.kill()
        events.view(bridge={"broker": False})
        for number in range(70):  # more results than a room has on their way to a broker
            action = "stop" if number % 2 else "record"
            assert press(asker, action)[0] == 200
        assert press(asker, "record")[1]["state"] == "recording"
        events.view(state="recording", role="operate")
        broker.start()
        events.view(bridge={"broker": True})
        s.panel.wait_for_newest("room/r0/state", "recording")


def test_a_room_may_be_called_as_anything_of_the_door_s(site: MakeSite) -> None:
    """Each is at /rooms/<room>; an id that one room has had is good for another one."""
    names = ("static", "rooms", "metrics", "events", "session", "event")
    s = site(rooms=len(names), start=False)
    s.tables["rooms"] = dict(zip(names, s.tables["rooms"].values(), strict=True))
    s.tables["web"] = {"listen": "127.0.0.1:0"}
    s.add_daemon()
    s.daemon.wait_for_line("HMP is ready")
    with client(s) as asker:
        for number, name in enumerate(names):
            path = f"/rooms/{name}"
            assert asker.get(path, headers={"Accept": "text/html"}).text.startswith("<!doctype")
            with opened(asker, f"{path}/events") as events:
                assert events.view(stale=False)["state"] == "idle"
                said = asker.post(f"{path}/record", json={"id": "same"}).json()
                assert (said["outcome"], said["state"]) == ("ok", "recording")
                assert events.view(state="recording")
            assert len(s.hmp.commands("startRecording")) == number + 1
        rooms = asker.get("/rooms").json()["rooms"]
        assert {key: view["state"] for key, view in rooms.items()} == dict.fromkeys(
            names, "recording"
        )


def test_events_over_tls(site: MakeSite, certificates: Certificates) -> None:
    pair = {"cert": str(certificates.cert), "key": str(certificates.key)}
    s = with_web(site, web=pair)
    with (
        client(s, verify=ssl.create_default_context(cafile=certificates.ca)) as asker,
        opened(asker, f"{ROOM}/events") as events,
    ):
        assert asker.base_url.scheme == "https"
        assert events.view()["state"] == "idle"
        assert next(name for name, _ in events if name == "beat")
        assert press(asker, "record")[0] == 200
        assert events.view(state="recording")["actions"]["stop"] is True
    ends = timestamp(not_after(certificates.cert.read_bytes()) or 0.0)
    s.panel.wait_until(
        lambda _: (
            json.loads(s.panel.newest("bridge/health") or "{}")
            .get("certificates", {})
            .get("web.cert")
            == ends
        ),
        "the end of web.cert",
    )


def test_an_id_outlives_a_kill(site: MakeSite) -> None:
    s = with_web(site)
    with client(s) as asker:
        assert press(asker, "toggle", id="once")[1]["state"] == "recording"
        s.daemon.process.send_signal(signal.SIGKILL)
        s.daemon.wait()
    s.add_daemon(state=s.daemon.state)
    s.daemon.wait_for_line("mqtt connected")
    with client(s) as asker:
        deadline = time.monotonic() + PATIENCE
        while asker.get(ROOM).json()["state"] != "recording":
            assert time.monotonic() < deadline
        status, said = press(asker, "toggle", id="once")
        assert (status, said["outcome"], said["state"]) == (200, "ignored", "recording")
        assert said["error"]["code"] == "carried_out_before"
        assert press(asker, "toggle", id="twice")[1]["state"] == "idle"
    assert len(s.hmp.commands("startRecording")) == 1


def test_a_press_outlives_its_sender(site: MakeSite) -> None:
    s = with_web(site)
    with client(s) as asker:
        address = (asker.base_url.host, asker.base_url.port)
    request = f"POST {ROOM}/record HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    with socket.create_connection(address) as hasty:
        hasty.sendall(request.encode())
    s.panel.wait_for("room/r0/state", "recording")
    s.panel.wait_for("room/r0/ack", "record ok")


def test_a_result_that_its_sender_did_not_wait_for_outlives_a_kill(
    site: MakeSite, launch: Launch
) -> None:
    """Neither sender nor broker has it yet; the bridge gives it when it is back."""
    broker = launch()
    s = with_web(site, broker=broker)
    request = f"POST {ROOM}/record HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    with client(s) as asker, opened(asker, f"{ROOM}/events") as events:
        broker.kill()
        events.view(bridge={"broker": False})
        s.hmp.freeze()
        with socket.create_connection((asker.base_url.host, asker.base_url.port)) as hasty:
            hasty.sendall(request.encode())
            events.view(state="starting")
            hasty.settimeout(PATIENCE)
            hasty.shutdown(socket.SHUT_WR)
            while hasty.recv(4096):
                pass  # until the bridge has hung up as well
        s.hmp.thaw()
        events.view(state="recording")
        assert press(asker, "mark", id="m")[1]["outcome"] == "ok"  # and its end is written down
    s.daemon.process.send_signal(signal.SIGKILL)
    s.daemon.wait()
    broker.start()
    s.add_daemon(state=s.daemon.state)
    s.panel.wait_for("room/r0/ack", "record ok")
    assert len(s.hmp.commands("startRecording")) == 1


def test_strangers_hold_up_neither_presses_nor_the_end(site: MakeSite) -> None:
    """Silent ones, half a request, and readers who take nothing of what they asked for."""
    s = with_web(site)
    with client(s) as asker, ExitStack() as stack:
        address = (asker.base_url.host, asker.base_url.port)
        asked = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for data in (b"", b"GET /", asked, asked + asked) * 25:
            stranger = stack.enter_context(closing(socket.create_connection(address)))
            stranger.sendall(data)
        for action in ("record", "pause", "resume", "stop"):
            assert press(asker, action)[0] == 200
        s.panel.press("r0", "record")
        s.panel.wait_for("room/r0/ack", "record ok")
        assert s.daemon.stop() == 0
    assert "Traceback" not in s.daemon.output


@pytest.fixture
def changing(site: MakeSite, asking: Ask) -> Reloading:
    """A site with a page whose configuration can be changed."""
    s = with_web(site)
    return Reloading(s, asking(s))


def test_rooms_and_secrets_at_a_reload(changing: Reloading) -> None:
    s: Site = changing.site
    with client(s) as asker, opened(asker, "/events") as events:
        assert events.view()["role"] == "operate"
        changing.tables["web"]["operate_secret"] = "operate-all"
        changing.tables["web"]["listen"] = "127.0.0.1:0"
        del changing.tables["rooms"]["r1"]
        changing.add_room(2, name="Third", look_secret="look-at-third")
        assert "web.operate_secret" in changing.done()["settings"]
        for _ in events:
            pass  # until it ends
        assert asker.get("/rooms").status_code == 401
    with client(s, "operate-all") as asker:
        rooms = asker.get("/rooms").json()["rooms"]
        assert sorted(rooms) == ["r0", "r2"]
        assert rooms["r2"]["name"] == "Third"
        assert press(asker, "record")[0] == 200
    with client(s, "look-at-third") as asker:
        assert list(asker.get("/rooms").json()["rooms"]) == ["r2"]
        assert press(asker, "stop")[0] == 403
    assert "operate-all" not in s.daemon.output
    assert "look-at-third" not in s.daemon.output


def test_secrets_from_files(site: MakeSite, tmp_path: Path) -> None:
    s = site(start=False)
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    (folder / "web__look_secret").write_text("looks-at-all\n")
    (folder / "rooms__r0__operate_secret").write_text("operates-r0")
    s.tables["web"] = {"listen": "0.0.0.0:0"}
    s.add_daemon(environment={"CREDENTIALS_DIRECTORY": str(folder)})
    s.wait_ready()
    with client(s, "operates-r0") as asker:
        assert list(asker.get("/rooms").json()["rooms"]) == ["r0"]
        assert press(asker, "record")[0] == 200
        name, value = "", ""
        signed = asker.post("/session", json={"secret": "looks-at-all"})
        assert signed.status_code == 204
        name, _, value = signed.headers["set-cookie"].partition(";")[0].partition("=")
    assert s.daemon.stop() == 0
    s.add_daemon(environment={"CREDENTIALS_DIRECTORY": str(folder)}, state=s.daemon.state)
    with client(s) as asker:
        asker.cookies.set(name, value)  # as a browser kept it over the restart
        assert len(asker.get("/rooms").json()["rooms"]) == 2
        assert press(asker, "stop")[0] == 403


def test_beyond_this_box_it_takes_a_secret(site: MakeSite) -> None:
    s = site(start=False)
    s.tables["web"] = {"listen": ":8080"}
    s.add_daemon()
    assert s.daemon.wait() == 78
    assert "web.operate_secret" in s.daemon.output
