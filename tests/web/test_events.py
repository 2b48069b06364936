"""What readers of events are told, at whatever speed they read."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
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


@asynccontextmanager
async def reading(
    site: Site, last: str = "", room: str | None = None, may: Pass = ALL
) -> AsyncIterator[Reader]:
    """Somebody who reads, and hangs up at the end, which ends the stream."""
    async with trio.open_nursery() as nursery:
        reader = Reader(site, last, room, may)
        nursery.start_soon(reader.run)
        yield reader
        reader.leave()
    assert reader.ended.is_set()


async def test_what_is_and_what_becomes(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client, reading(site) as reader:
        _, _, told = await reader.until("room")
        assert reader.headers[b"content-type"].startswith(b"text/event-stream")
        assert told == {"room": "boardroom", "view": (await client.get("/rooms/boardroom")).json()}
        assert told["view"]["state"] == "idle"
        assert told["view"]["name"] == "Board Room"
        site.house.press(Action.RECORD, "7")
        while (await reader.until("room"))[2]["view"]["state"] != "recording":
            pass


async def test_the_result_comes_with_the_state_that_it_speaks_of(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running(), reading(site, room="boardroom") as reader:
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


async def test_a_beat_each_second(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running(), reading(site) as reader:
        await reader.until("room")
        await reader.until("beat")
        for _ in range(3):
            began = trio.current_time()
            _, number, told = await reader.until("beat")
            assert trio.current_time() - began == pytest.approx(1.0)
            assert number == ""
            assert told["now"].endswith("Z")


async def test_a_reader_that_comes_again_gets_what_it_missed(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running():
        site.house.press(Action.RECORD, "7")
        await site.house.said("recording")
        await trio.testing.wait_all_tasks_blocked()
        feed = site.web.feed
        last = f"{feed.life}-{feed.number}"
        async with reading(site, last) as reader:
            events = [*await reader.next(), *await reader.next()]
            assert [name for name, _, _ in events] == ["beat"]
        site.house.press(Action.STOP, "8")
        await site.house.said("idle")
        async with reading(site, last) as again:
            assert (await again.until("room"))[2]["view"]["state"] == "idle"


@pytest.mark.parametrize("last", ["00000000-99", "", "x", "-", "99", "0" * 5000])
async def test_an_id_of_another_life_gets_everything(
    last: str, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running(), reading(site, last) as reader:
        assert (await reader.until("room"))[2]["room"] == "boardroom"


async def test_a_number_from_the_future_is_not_believed(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running(), reading(site, f"{site.web.feed.life}-999999") as reader:
        await reader.until("beat")
        site.house.press(Action.RECORD, "7")
        assert (await reader.until("room"))[2]["view"]["state"] == "recording"


async def test_a_slow_reader_gets_the_newest_view_once(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running(), reading(site) as reader:
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


async def test_a_view_is_rendered_once_for_any_number_of_readers(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running(), AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(reading(site)) for _ in range(50)]
        for each in readers:
            await each.until("room")
        feed = site.web.feed
        assert feed.view("boardroom", Role.OPERATE) is feed.view("boardroom", Role.OPERATE)
        began = trio.current_time()
        site.web.broker_changed()
        for each in readers:
            await each.until("room")
        assert trio.current_time() - began < 0.2


async def test_a_reader_hears_of_its_rooms_alone(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running(), reading(site, may=Pass([Grant("lobby", Role.OPERATE)])) as reader:
        assert (await reader.next()) == []
        assert (await reader.next())[0][0] == "beat"
        site.house.press(Action.RECORD, "7")
        assert [(await reader.next())[0][0] for _ in range(3)] == ["beat"] * 3


async def test_the_broker_shows_in_every_view(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running(), reading(site) as reader:
        assert (await reader.until("room"))[2]["view"]["bridge"] == {"broker": True}
        site.online = False
        site.web.broker_changed()
        assert (await reader.until("room"))[2]["view"]["bridge"] == {"broker": False}


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
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running(), reading(site) as reader:
        _, last, _ = await reader.until("room")
        del site.rooms["boardroom"]
        site.web.reconfigured(configuration())
        await reader.until("beat")  # it was being told
        await reader.ended.wait()
        async with reading(site, last) as again:
            assert (await again.until("room"))[2] == {"room": "boardroom", "view": None}


async def test_it_beats_while_others_are_told(autojump_clock: trio.abc.Clock) -> None:
    site, lobby = Site(), Pass([Grant("lobby", Role.LOOK)])

    async def change() -> None:
        while True:
            site.web.broker_changed()
            await trio.sleep(0.1)

    async with site.running(), reading(site, may=lobby) as reader, trio.open_nursery() as nursery:
        nursery.start_soon(change)
        await reader.until("beat")
        for _ in range(3):
            began = trio.current_time()
            await reader.until("beat")
            assert trio.current_time() - began == pytest.approx(1.0)
        nursery.cancel_scope.cancel()
