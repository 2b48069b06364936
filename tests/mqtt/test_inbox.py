"""Bounded, in order, and each message once, over however many connections."""

import gc
import weakref

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from bridge.mqtt.inbox import LENIENCY, Inbox
from bridge.mqtt.message import Message, Receipt, is_topic_name
from bridge.mqtt.shares import Source


def message(
    topic: str = "in", mid: int = 1, *, qos: int = 1, duplicate: bool = False, sent: list[int]
) -> Message:
    """A message whose PUBACK is noted in `sent`."""
    return Message(
        topic=topic,
        payload=b"record",
        qos=qos,
        retain=False,
        duplicate=duplicate,
        received_at=0.0,
        receipt=Receipt(mid, hash(topic), sent.append) if qos else None,
    )


async def test_messages_come_in_arrival_order() -> None:
    inbox, sent = Inbox(10), list[int]()
    for mid in (3, 1, 2):
        inbox.put(message(str(mid), mid, sent=sent))
    assert [(await inbox.get()).topic for _ in range(3)] == ["3", "1", "2"]
    assert sent == []


async def test_a_waiting_receiver_is_woken() -> None:
    inbox = Inbox(1)
    got: list[Message] = []

    async def receive() -> None:
        got.append(await inbox.get())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        assert got == []
        inbox.put(message(qos=0, sent=[]))
    assert len(got) == 1


async def test_acknowledging_twice_sends_one_puback() -> None:
    inbox, sent = Inbox(1), list[int]()
    inbox.put(message(mid=7, sent=sent))
    received = await inbox.get()
    received.acknowledge()
    received.acknowledge()
    assert sent == [7]
    assert inbox.unacknowledged == 0


async def test_qos_0_has_nothing_to_acknowledge() -> None:
    inbox = Inbox(1)
    inbox.put(message(qos=0, sent=[]))
    (await inbox.get()).acknowledge()


async def test_a_redelivery_of_a_waiting_message_is_not_a_second_message() -> None:
    inbox, first, second = Inbox(10), list[int](), list[int]()
    inbox.put(message(mid=4, sent=first))
    inbox.connected(session_present=True)
    inbox.put(message(mid=4, duplicate=True, sent=second))
    assert len(inbox) == 1
    (await inbox.get()).acknowledge()
    assert (first, second) == ([], [4])


async def test_a_puback_lost_with_its_connection_is_sent_again() -> None:
    inbox, first, second = Inbox(10), list[int](), list[int]()
    inbox.put(message(mid=4, sent=first))
    (await inbox.get()).acknowledge()
    inbox.connected(session_present=True)
    inbox.put(message(mid=4, duplicate=True, sent=second))
    assert len(inbox) == 0
    assert (first, second) == ([4], [4])


@pytest.mark.parametrize("change", ["topic", "session", "not a duplicate"])
async def test_an_identifier_used_again_is_another_message(change: str) -> None:
    inbox, sent = Inbox(10), list[int]()
    inbox.put(message(mid=4, sent=sent))
    (await inbox.get()).acknowledge()
    inbox.connected(session_present=change != "session")
    inbox.put(
        message(
            "other" if change == "topic" else "in",
            mid=4,
            duplicate=change != "not a duplicate",
            sent=sent,
        )
    )
    assert len(inbox) == 1


async def test_what_was_served_keeps_no_connection_in_memory() -> None:
    """A broker that comes and goes would leave thousands of them."""

    class Connection:
        def acknowledge(self, mid: int) -> None:
            pass

    inbox, connection = Inbox(10), Connection()
    inbox.put(
        Message("in", b"", 1, False, False, 0.0, receipt=Receipt(4, 0, connection.acknowledge))
    )
    (await inbox.get()).acknowledge()
    ended = weakref.ref(connection)
    del connection
    gc.collect()
    assert ended() is None


async def test_only_as_many_served_receipts_are_kept_as_can_matter() -> None:
    inbox, sent = Inbox(1), list[int]()
    for mid in range(1, LENIENCY + 2):
        inbox.put(message(mid=mid, sent=sent))
        (await inbox.get()).acknowledge()
    inbox.connected(session_present=True)
    sent.clear()
    inbox.put(message(mid=1, duplicate=True, sent=sent))
    inbox.put(message(mid=2, duplicate=True, sent=sent))
    assert len(inbox) == 1
    assert sent == [2]


async def test_the_late_acknowledgement_of_a_reused_identifier_changes_nothing() -> None:
    inbox, old, new = Inbox(10), list[int](), list[int]()
    inbox.put(message(mid=4, sent=old))
    stale = await inbox.get()
    inbox.connected(session_present=False)
    inbox.put(message("other", mid=4, sent=new))
    stale.acknowledge()
    assert inbox.unacknowledged == 1
    assert new == []


async def test_qos_0_is_dropped_at_the_capacity_counted_and_said_once() -> None:
    inbox = Inbox(2)
    with capture_logs() as logs:
        for _ in range(5):
            inbox.put(message(qos=0, sent=[]))
        [line] = logs
        assert line["event"] == "mqtt inbox full, dropping messages"
        assert (len(inbox), inbox.dropped) == (2, 3)
        await inbox.get()
        for _ in range(2):
            inbox.put(message(qos=0, sent=[]))
    assert logs == [line, line]  # no more is written of what is said again and again


async def test_what_a_broker_delivers_beyond_all_bounds_is_not_left_open() -> None:
    """Of what it lets be under way, nothing is taken up by what will never be handled."""
    inbox, sent = Inbox(2), list[int]()
    most = 2 * LENIENCY
    for mid in range(1, most + 2):
        inbox.put(message(str(mid), mid, sent=sent))
    assert (len(inbox), inbox.dropped, sent) == (most, 1, [])
    for mid in range(1, most + 1):
        (await inbox.get()).acknowledge()
        assert sent == [*range(1, mid + 1 + (mid == most))]  # in its turn, behind the others
    assert (inbox.unacknowledged, len(inbox)) == (0, 0)


@pytest.mark.parametrize(
    ("topic", "usable"),
    [
        ("a", True),
        ("a/b", True),
        ("/", True),
        ("ö" * 32_767, True),
        ("", False),
        ("a/+", False),
        ("#", False),
        ("a\0", False),
        ("ö" * 32_768, False),
        ("\ud800", False),
    ],
)
def test_topic_names(topic: str, usable: bool) -> None:
    assert is_topic_name(topic) is usable


def by_first_level(topic: str) -> Source:
    """A share for each first level of a topic."""
    return Source(topic.partition("/")[0], 0, topic)


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_flood_drops_nothing_of_a_quiet_room_and_holds_it_up_by_one(qos: int) -> None:
    inbox, sent = Inbox(4, by_first_level), list[int]()
    for mid in range(1, 1001):
        inbox.put(message("loud/a", mid, qos=qos, sent=sent))
    inbox.put(message("quiet/a", 2000, qos=qos, sent=sent))
    inbox.put(message("quiet/b", 2001, qos=qos, sent=sent))
    assert inbox.dropped == 1000 - 4 * (LENIENCY if qos else 1)
    assert [(await inbox.get()).topic for _ in range(4)] == [
        *("loud/a", "quiet/a", "loud/a", "quiet/b")
    ]


async def test_what_waits_is_bounded_however_many_flood() -> None:
    inbox = Inbox(100, by_first_level)
    for number in range(20_000):
        inbox.put(message(f"{number % 200}/a", qos=0, sent=[]))
    assert len(inbox) <= 100 + 200


async def test_pubacks_go_out_in_the_order_of_arrival() -> None:
    inbox, sent = Inbox(10, by_first_level), list[int]()
    for mid, topic in enumerate(("loud", "loud", "quiet"), 1):
        inbox.put(message(topic, mid, sent=sent))
    first, quiet, second = [await inbox.get() for _ in range(3)]
    quiet.acknowledge()
    second.acknowledge()
    assert (sent, inbox.unacknowledged) == ([], 3)
    first.acknowledge()
    assert (sent, inbox.unacknowledged) == ([1, 2, 3], 0)


async def test_what_waits_from_before() -> None:
    inbox = Inbox(10)
    assert inbox.none_before(1.0)
    inbox.put(message(sent=[]))
    assert inbox.none_before(0.0)
    assert not inbox.none_before(1.0)


async def test_a_held_share_lets_the_others_pass_and_goes_on_afterwards() -> None:
    held = {"loud"}
    inbox = Inbox(10, by_first_level, lambda share: share in held)
    for topic in ("loud/a", "loud/b", "quiet/a"):
        inbox.put(message(topic, qos=0, sent=[]))
    got = [(await inbox.get()).topic]

    async def receive() -> None:
        got.append((await inbox.get()).topic)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        assert got == ["quiet/a"]
        held.clear()
        inbox.look_again()
    assert got == ["quiet/a", "loud/a"]
