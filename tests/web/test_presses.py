"""Presses over HTTP: taken as by MQTT, answered with their result."""

import json
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from bridge.room.facts.vocabulary import Action
from bridge.room.rules.possible import BUTTONS
from tests.mqtt.recorder import Recorder, flushed

from .doors import Site

ROOM = "/rooms/boardroom"


async def press(client: httpx.AsyncClient, action: str, **body: Any) -> tuple[int, dict[str, Any]]:
    """Status and document of the answer."""
    answer = await client.post(f"{ROOM}/{action}", json=body or None)
    return answer.status_code, answer.json()


async def test_the_answer_is_the_result(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        status, said = await press(client, "record", title="Weekly", id="7")
        assert status == 200
        took = said.pop("took_ms")
        assert took >= 0
        assert said == {
            "id": "7",
            "action": "record",
            "outcome": "ok",
            "state": "recording",
            "error": None,
            "origin": "http 192.0.2.7",
        }
        view = (await client.get(ROOM)).json()
        assert (view["state"], view["title"]) == ("recording", "Weekly")
        assert (await press(client, "record"))[1]["outcome"] == "ignored"
        assert site.house.executed.count("startRecording") == 1


async def test_it_is_published_as_well_and_waits_for_no_broker(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running() as client:
        site.online = False
        status, said = await press(client, "record")
        assert status == 200
        assert site.house.room.unanswered == 0  # it is not kept for the broker
    carrier = Recorder()
    await flushed(site.image, carrier)
    sent = {topic: payload for topic, payload, _, retain in carrier.posted if not retain}
    assert json.loads(sent["hmp/room/boardroom/result"]) == said
    assert sent["hmp/room/boardroom/ack"] == b"record ok"


async def test_one_that_nobody_waits_for_is_carried_out(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        with trio.move_on_after(0.001):
            await press(client, "record")
        await site.house.said("recording")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("pause", b"", 409, "not_recording"),
        ("fly", b"", 422, "unknown_action"),
        ("record", b"true", 422, "malformed"),
        ("record", b'{"title": ', 422, "malformed"),
        ("record", b'{"title": ""}', 422, "malformed"),
        ("record", b'{"minutes": 5}', 422, "malformed"),
        ("record", b'{"action": "stop"}', 422, "malformed"),
        ("record", b'{"id": [1]}', 422, "malformed"),
        ("record", b"\xff", 422, "malformed"),
        ("adopt", b"{}", 422, "malformed"),
        ("event", b"", 422, "malformed"),
        ("metadata/title", b"", 422, "malformed"),
        ("metadata/title", b"Weekly", 422, "malformed"),
        ("metadata/title", b'{"title": "Weekly"}', 422, "malformed"),
        ("metadata/title", b'{"text": "Weekly", "minutes": 5}', 422, "malformed"),
        ("metadata/colour", b'{"text": "red"}', 422, "unknown_action"),
        ("event", b'{"event": "party"}', 422, "unknown_event"),
    ],
)
async def test_what_is_refused_says_why(
    path: str, body: bytes, status: int, code: str, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running() as client:
        answer = await client.post(f"{ROOM}/{path}", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert site.house.executed.count("startRecording") == 0


async def test_a_booking_system_speaks_by_the_same_way(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        meeting = {"event": "meeting_start", "id": "m1", "title": "Weekly"}
        status, said = await press(client, "event", **meeting)
        assert (status, said["action"]) == (200, "meeting_start")
        assert (await client.get(ROOM)).json()["meetings"][0]["id"] == "m1"


async def test_what_is_said_of_a_recording_is_said_by_the_same_way(
    autojump_clock: trio.abc.Clock,
) -> None:
    """As on the topics `metadata/+`: of the recording, or of the next one where none runs."""
    site = Site()
    async with site.running() as client:
        status, said = await press(client, "metadata/createdby", text="Ada", id="7")
        assert (status, said["outcome"], said["action"]) == (200, "ok", "metadata/createdby")
        assert site.house.executed.count("updateMetadata") == 0
        await press(client, "record")
        await site.house.until(lambda: "updateMetadata" in site.house.executed)
        status, said = await press(client, "metadata/title", text="Weekly")
        assert (status, said["outcome"], said["action"]) == (200, "ok", "metadata/title")
        await site.house.until(lambda: site.house.executed.count("updateMetadata") == 2)


async def test_an_id_is_carried_out_once(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        first = await press(client, "toggle", id="a")
        assert await press(client, "toggle", id="a") == first
        assert site.house.room.state.state == "recording"
        status, said = await press(client, "stop", id="a")
        assert (status, said["error"]["code"]) == (422, "id_used_before")
        assert (await press(client, "toggle", id="b"))[1]["state"] == "idle"


async def test_an_id_is_known_after_a_restart(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        await press(client, "toggle", id="a")
        await press(client, "toggle", id=5)
    inputs = site.house.inputs
    assert all(key.mid < 0 for key in inputs)
    after = Site(taken=inputs)
    async with after.running() as client:
        for request_id in ("a", 5):
            status, said = await press(client, "toggle", id=request_id)
            assert (status, said["outcome"]) == (200, "ignored")
            assert said["error"]["code"] == "carried_out_before"
        assert after.house.executed.count("startRecording") == 0
        assert (await press(client, "toggle", id="c"))[1]["state"] == "recording"


async def test_a_room_that_does_not_know_itself_takes_none(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running(known=False) as client:
        status, said = await press(client, "record")
        assert (status, said["error"]["code"]) == (503, "not_known_yet")
        assert not any((await client.get(ROOM)).json()["actions"].values())
        assert site.house.executed.count("startRecording") == 0


async def test_more_than_can_wait_are_turned_away(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client, trio.open_nursery() as nursery:
        site.house.room.link_changed(ready=False)  # none is done before the last has come
        answers: list[int] = []

        async def ask() -> None:
            answers.append((await press(client, "toggle"))[0])

        for _ in range(40):
            nursery.start_soon(ask)
    assert answers.count(429) == 8


async def test_one_under_way_for_long_is_said_to_be(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        await press(client, "record")
        site.house.room.link_changed(ready=False)
        status, said = await press(client, "stop", id="late")
        assert (status, said["outcome"]) == (202, None)
        site.house.room.link_changed(ready=True)
        status, said = await press(client, "stop", id="late")
        assert (status, said["outcome"]) == (200, "ok")


async def test_an_id_that_was_made_up_and_told_is_good_for_asking_again(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running() as client:
        await press(client, "record")
        site.house.room.link_changed(ready=False)
        status, said = await press(client, "stop")
        assert (status, said["outcome"]) == (202, None)
        site.house.room.link_changed(ready=True)
        for _ in range(2):
            status, again = await press(client, "stop", id=said["id"])
            assert (status, again["outcome"], again["id"]) == (200, "ok", said["id"])
        assert (await press(client, "record", id=said["id"]))[0] == 422
        assert site.house.executed.count("stopRecording") == 1


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("body", [{}, {"id": "7"}], ids=["unnamed", "named"])
async def test_a_result_that_nobody_can_hear_here_waits_for_the_broker(
    waits: bool, body: dict[str, str], autojump_clock: trio.abc.Clock
) -> None:
    """Whoever waits, or has an id to ask again, needs no broker; else the room keeps it."""
    site = Site()
    async with site.running() as client, trio.open_nursery() as nursery:
        site.house.room.link_changed(ready=False)
        asking = await nursery.start(_pressing, client, body)
        await trio.testing.wait_all_tasks_blocked()
        if not waits:
            asking.cancel()
            await trio.testing.wait_all_tasks_blocked()
        site.house.room.link_changed(ready=True)
        await site.house.answered(1)
        await trio.testing.wait_all_tasks_blocked()
        assert site.house.room.unanswered == int(not waits and not body)


async def _pressing(
    client: httpx.AsyncClient, body: dict[str, str], task_status: trio.TaskStatus[trio.CancelScope]
) -> None:
    with trio.CancelScope() as scope:
        task_status.started(scope)
        await press(client, "record", **body)


async def test_nothing_is_taken_while_the_bridge_leaves(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running() as client:
        site.callers.leave()
        status, said = await press(client, "record")
        assert (status, said["error"]["code"]) == (503, "leaving")


async def test_presses_by_hand_and_by_mqtt_with_one_id_are_two(
    autojump_clock: trio.abc.Clock,
) -> None:
    site = Site()
    async with site.running() as client:
        site.house.press(Action.RECORD, "same")
        await site.house.answered(1)
        assert (await press(client, "stop", id="same"))[1]["outcome"] == "ok"


@pytest.mark.parametrize("before", [[], ["record"], ["record", "pause"]], ids=len)
@pytest.mark.parametrize("action", BUTTONS)
async def test_a_button_that_is_on_works_and_another_does_not(
    before: list[str], action: Action, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running() as client:
        for each in before:
            assert (await press(client, each))[1]["outcome"] == "ok"
        is_on = (await client.get(ROOM)).json()["actions"][action]
        assert ((await press(client, action))[1]["outcome"] == "ok") is is_on
