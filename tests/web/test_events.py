"""What readers of events are told, at whatever speed they read."""

import json
from typing import Any

import pytest
import trio
import trio.testing

from bridge.mqtt.topics import timestamp
from bridge.room.facts.vocabulary import Action
from bridge.web.access import Grant, Pass, Role
from bridge.web.events import Stream
from tests.room.house import clock

from .doors import Site, configuration

ALL = Pass([Grant(None, Role.OPERATE)])
Told = tuple[str, str, Any]


class Reader:
    """Reads a stream of events, one write at a time, when it is let."""

    def __init__(self, site: Site, last: str = "", room: str | None = None, may: Pass = ALL):
        self.stream = Stream(site.web.feed, may, room, last)
        self._send, self._receive = trio.open_memory_channel[bytes](0)
        self._left = trio.Event()
        self.ended = trio.Event()
        self.headers: dict[bytes, bytes] = {}

    async def run(self) -> None:
        """Connected until it has left, or the stream ends."""
        await self.stream({"type": "http"}, self._asgi_receive, self._asgi_send)
        self.ended.set()
        self._send.close()

    def leave(self) -> None:
        """Hang up."""
        self._left.set()

    async def next(self) -> list[Told]:
        """The events of the next write: name, id and data."""
        found = []
        for block in (await self._receive.receive()).decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in fields:
                data = json.loads(fields["data"])
                found.append((fields["event"], fields.get("id", ""), data))
        return found

    async def until(self, name: str) -> Told:
        """The next event of this name."""
        while True:
            for each in await self.next():
                if each[0] == name:
                    return each

    async def _asgi_receive(self) -> Any:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _asgi_send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.headers = dict(message["headers"])
        elif message["body"]:
            await self._send.send(message["body"])


async def test_what_is_and_what_becomes(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running() as client:
        reader = Reader(site)
        nursery.start_soon(reader.run)
        _, _, told = await reader.until("room")
        assert reader.headers[b"content-type"].startswith(b"text/event-stream")
        assert told == {"room": "boardroom", "view": (await client.get("/rooms/boardroom")).json()}
        assert told["view"]["state"] == "idle"
        assert told["view"]["name"] == "Board Room"
        site.house.press(Action.RECORD, "7")
        while (await reader.until("room"))[2]["view"]["state"] != "recording":
            pass
        reader.leave()
        await reader.ended.wait()


async def test_the_result_comes_with_the_state_that_it_speaks_of(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        reader = Reader(site, room="boardroom")
        nursery.start_soon(reader.run)
        await reader.until("room")
        site.house.press(Action.RECORD, "7")
        states = []
        while True:
            events = await reader.next()
            states += [told["view"]["state"] for name, _, told in events if name == "room"]
            results = [told for name, _, told in events if name == "result"]
            if results:
                break
        assert results[0]["result"]["id"] == "7"
        assert results[0]["result"]["origin"] == "topic"
        assert "recording" in states
        reader.leave()


async def test_a_beat_each_second(nursery: trio.Nursery, autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running():
        reader = Reader(site)
        nursery.start_soon(reader.run)
        await reader.until("room")
        await reader.until("beat")
        for _ in range(3):
            began = trio.current_time()
            _, number, told = await reader.until("beat")
            assert trio.current_time() - began == pytest.approx(1.0)
            assert number == ""
            assert told["now"].endswith("Z")
        reader.leave()


async def test_a_reader_that_comes_again_gets_what_it_missed(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        site.house.press(Action.RECORD, "7")
        await site.house.said("recording")
        await trio.testing.wait_all_tasks_blocked()
        feed = site.web.feed
        last = f"{feed.life}-{feed.number}"
        reader = Reader(site, last)
        nursery.start_soon(reader.run)
        assert [name for name, _, _ in [*await reader.next(), *await reader.next()]] == ["beat"]
        reader.leave()
        site.house.press(Action.STOP, "8")
        await site.house.said("idle")
        again = Reader(site, last)
        nursery.start_soon(again.run)
        assert (await again.until("room"))[2]["view"]["state"] == "idle"
        again.leave()


@pytest.mark.parametrize("last", ["00000000-99", "", "x", "-", "99", "0" * 5000])
async def test_an_id_of_another_life_gets_everything(
    last: str, nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        reader = Reader(site, last)
        nursery.start_soon(reader.run)
        assert (await reader.until("room"))[2]["room"] == "boardroom"
        reader.leave()


async def test_a_number_from_the_future_is_not_believed(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        reader = Reader(site, f"{site.web.feed.life}-999999")
        nursery.start_soon(reader.run)
        await reader.until("beat")
        site.house.press(Action.RECORD, "7")
        assert (await reader.until("room"))[2]["view"]["state"] == "recording"
        reader.leave()


async def test_a_slow_reader_gets_the_newest_view_once(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        reader = Reader(site)
        nursery.start_soon(reader.run)
        await reader.until("room")
        for number in range(20):
            site.house.press(Action.TOGGLE, str(number))
            await site.house.answered(number + 1)
        await reader.until("beat")  # which it was being told all the while
        events = await reader.next()
        views = [told["view"] for name, _, told in events if name == "room"]
        assert [view["state"] for view in views] == ["idle"]
        assert sum(name == "result" for name, _, _ in events) == 20
        numbers = [int(number.partition("-")[2]) for _, number, _ in events]
        assert numbers == sorted(numbers)
        reader.leave()


async def test_a_view_is_rendered_once_for_any_number_of_readers(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        readers = [Reader(site) for _ in range(50)]
        for each in readers:
            nursery.start_soon(each.run)
        for each in readers:
            await each.until("room")
        feed = site.web.feed
        assert feed.view("boardroom", Role.OPERATE) is feed.view("boardroom", Role.OPERATE)
        began = trio.current_time()
        site.web.broker_changed()
        for each in readers:
            await each.until("room")
        assert trio.current_time() - began < 0.2
        for each in readers:
            each.leave()


async def test_a_reader_hears_of_its_rooms_alone(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        reader = Reader(site, may=Pass([Grant("lobby", Role.OPERATE)]))
        nursery.start_soon(reader.run)
        assert (await reader.next()) == []
        assert (await reader.next())[0][0] == "beat"
        site.house.press(Action.RECORD, "7")
        assert [(await reader.next())[0][0] for _ in range(3)] == ["beat"] * 3
        reader.leave()


async def test_the_broker_shows_in_every_view(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        reader = Reader(site)
        nursery.start_soon(reader.run)
        assert (await reader.until("room"))[2]["view"]["bridge"] == {"broker": True}
        site.online = False
        site.web.broker_changed()
        assert (await reader.until("room"))[2]["view"]["bridge"] == {"broker": False}
        reader.leave()


async def test_it_is_said_since_when_hmp_is_away(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:

        async def since() -> tuple[bool, str | None]:
            view = (await client.get("/rooms/boardroom")).json()
            return view["stale"], view["stale_since"]

        assert await since() == (False, None)
        site.house.room.link_changed(ready=False)
        await trio.testing.wait_all_tasks_blocked()
        lost = timestamp(clock().wall)
        assert await since() == (True, lost)
        await trio.sleep(60)
        site.web.broker_changed()  # any change of its view
        assert await since() == (True, lost)
        site.house.room.link_changed(ready=True)
        await trio.testing.wait_all_tasks_blocked()
        assert await since() == (False, None)


async def test_a_bridge_that_never_had_hmp_knows_no_time(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    site.house.room.link_changed(ready=False)
    site.outlet.state(site.house.room)
    async with site.client() as client:
        view = (await client.get("/rooms/boardroom")).json()
        assert (view["stale"], view["stale_since"]) == (True, None)


async def test_a_room_that_goes_and_rights_that_change_end_the_stream(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running():
        reader = Reader(site)
        nursery.start_soon(reader.run)
        _, last, _ = await reader.until("room")
        del site.rooms["boardroom"]
        site.web.reconfigured(configuration())
        await reader.until("beat")  # it was being told
        await reader.ended.wait()
        again = Reader(site, last)
        nursery.start_soon(again.run)
        assert (await again.until("room"))[2] == {"room": "boardroom", "view": None}
        again.leave()


async def test_it_beats_while_others_are_told(
    nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()

    async def change() -> None:
        while True:
            site.web.broker_changed()
            await trio.sleep(0.1)

    async with site.running():
        reader = Reader(site, may=Pass([Grant("lobby", Role.LOOK)]))
        nursery.start_soon(reader.run)
        nursery.start_soon(change)
        await reader.until("beat")
        for _ in range(3):
            began = trio.current_time()
            await reader.until("beat")
            assert trio.current_time() - began == pytest.approx(1.0)
        nursery.cancel_scope.cancel()
