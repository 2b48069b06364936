"""One sender of thousands of messages: other rooms are served, few lines and answers are made."""

import json

import pytest

from .site import MakeSite

pytestmark = pytest.mark.mqtt5

MESSAGES = 2000


def test_a_flood_of_refused_messages_is_counted_and_another_room_recorded(site: MakeSite) -> None:
    s = site()
    flood = [
        ("room/r0/set", f'{{"action":"extend","minutes":-1,"id":{n}}}') for n in range(MESSAGES)
    ]
    since = s.panel.mark()
    s.panel.publish_many([*flood, ("room/r1/set", '{"action":"record","id":"mine"}')])
    s.panel.wait_for("room/r1/ack", "record ok", since=since)

    def told(_: object) -> list[str]:
        return [
            text
            for text in s.panel.payloads("bridge/response/error", since)
            if json.loads(text)["error"]["code"] == "too_many_refused"
        ]

    [text, *_] = s.panel.wait_until(told, "how many were refused", since=since)
    assert json.loads(text)["origin"] == f"{s.base}/room/r0/set"
    answers = len(s.panel.payloads("room/r0/result", since))
    assert 64 <= answers < MESSAGES / 4
    assert len(s.daemon.lines_with("request done")) < 64
    line = s.daemon.wait_for_line("more requests refused")
    assert f"topics={s.base}/room/r0/set" in line


def test_a_flood_of_presses_is_answered_each_and_another_room_is_not_behind_it(
    site: MakeSite,
) -> None:
    s = site()
    presses = 400
    since = s.panel.mark()
    flood = [("room/r0/set", f'{{"action":"record","id":{n}}}') for n in range(presses)]
    s.panel.publish_many([*flood, ("room/r1/set", '{"action":"record","id":"mine"}')])
    results = s.panel.wait_for_results("r0", presses, since)
    assert sorted(result["id"] for result in results) == list(range(presses))
    s.panel.wait_for("room/r1/ack", "record ok", since=since)


def test_topics_of_64_kb_are_neither_kept_nor_said_again(site: MakeSite) -> None:
    s = site()

    def flood(first: int, count: int) -> None:
        topics = (f"room/{'x' * 60_000}{n}/press/record" for n in range(first, first + count))
        since = s.panel.mark()
        s.panel.publish_many([*((each, "true") for each in topics), ("room/r1/set", "record")])
        s.panel.wait_for_results("r1", 1, since)

    flood(0, 100)  # what is under way takes its room once
    before, after = s.daemon.resident_kilobytes(), []
    for number in range(3):  # of which some is under way, or is garbage, at any moment
        flood(100 + 300 * number, 300)
        after.append(s.daemon.resident_kilobytes())
    assert min(after) - before < 10_000
    for text in s.panel.payloads("bridge/response/error"):
        assert len(text) < 2_000
        # After ten seconds of it the number of those without an answer is told, of all topics.
        origin = json.loads(text)["origin"]
        assert origin.startswith(f"{s.base}/room/xxx") or origin == f"{s.base}/room/+/#"
    assert max(map(len, s.daemon.lines.since())) < 2_000
