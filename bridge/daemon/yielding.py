"""A change of hands, as somebody asks for it at the broker: `bridge/request/yield` (R37)."""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import trio

from ..config.configuration import Configuration
from ..mqtt.failures import BrokerFailure, flatten
from ..mqtt.message import Message
from ..mqtt.negotiate import accepting, in_either_version
from ..mqtt.nodes import Nodes
from ..mqtt.session import open_session
from ..mqtt.settings import BrokerSettings, Protocol, Subscription
from ..process.name_service import name_service
from ..text.json_text import read_object
from .box_words import BoxState, BoxWord, read_word

__all__ = ["NobodyYields", "RefusedToYield", "ask_to_yield"]

_ANSWER_WITHIN = 10.0
"""Seconds that the box that leads has for its answer."""

_LEADS_WITHIN = 90.0
"""Seconds until another one leads: what is under way is finished before (R24)."""


class RefusedToYield(Exception):
    """The box that leads stays where it is; the text says why, and what to do."""


class NobodyYields(Exception):
    """A broker where no box has answered, or none leads now; the text says what to look at."""


async def ask_to_yield(configuration: Configuration) -> str:
    """Have the box that leads leave to another one; the name of the one that leads then.

    Of several brokers each is tried, at each of its addresses, until the box has answered at one.
    Raises `RefusedToYield`, or a `NobodyYields` for each of them, in exception groups.
    """
    name = f"hmp-bridge-yield-{secrets.token_hex(4)}"
    settings = replace(configuration.broker(name), client_id=name, session_expiry=0)
    asking = _Asking(configuration)
    reasons: list[NobodyYields] = []
    async with name_service():
        nodes = Nodes(settings)
        while not asking.leader:
            chosen, is_over = await nodes.choose(), False
            try:
                await in_either_version(chosen, partial(_converse, asking, chosen, nodes.reached))
            except* BrokerFailure as failed:
                # Who may have heard it is not asked twice: the lease would come back.
                is_over = asking.is_under_way
                reasons.append(_at(chosen, flatten(failed)))
            except* NobodyYields as failed:
                is_over = asking.is_answered
                reasons.append(_at(chosen, flatten(failed)))
            if not asking.leader and (is_over or not await nodes.another(lived=False)):
                raise ExceptionGroup("no box leaves", reasons)
    return asking.leader


def _at(broker: BrokerSettings, failure: Exception) -> NobodyYields:
    """The same with the broker where it was so, unless that is named."""
    reason = str(failure)
    return NobodyYields(reason if broker.address in reason else f"{broker.address}: {reason}")


async def _converse(
    asking: "_Asking",
    settings: BrokerSettings,
    reached: Callable[[str], None],
    protocol: Protocol,
) -> None:
    asking.begin()
    async with open_session(
        settings,
        protocol,
        deliver=asking.hear,
        accepting=accepting(settings, protocol),
        reached=reached,
    ) as session:
        await session.subscribe([Subscription(each, 0) for each in asking.filters])
        asking.is_under_way = True
        await session.publish(asking.topic, asking.payload)
        await asking.answered()
        await asking.led()
        await session.disconnect()


class _Asking:
    """One request, and what is heard of it."""

    def __init__(self, configuration: Configuration) -> None:
        topics = configuration.topics
        self._topics = topics
        self._id = secrets.token_hex(8)
        self.topic = topics.request("yield")
        self.payload = json.dumps({"id": self._id}).encode()
        self._answer_topic = topics.response("yield")
        self.filters = [self._answer_topic, topics.standby("+")]
        self._answer: dict[str, object] = {}
        self._words: dict[str, BoxWord] = {}
        self._news = trio.lowlevel.ParkingLot()
        self.leader = ""
        #: True once the broker may have the request.
        self.is_under_way = False

    def begin(self) -> None:
        """At a broker: what boxes have said at another one says nothing of this one."""
        self.is_under_way = False
        self._words.clear()

    @property
    def is_answered(self) -> bool:
        """True once the box that leads has said something."""
        return bool(self._answer)

    def hear(self, message: Message) -> None:
        """Whatever comes on `filters`."""
        message.acknowledge()
        box = message.topic.rpartition("/")[2]
        if message.topic == self._answer_topic:
            answer = read_object(message.payload)
            self._answer = answer if answer.get("id") == self._id else self._answer
        elif word := read_word(message.payload):
            self._words[box] = word
        self._news.unpark_all()

    async def answered(self) -> None:
        """Return once the box that leads has said that it leaves."""
        with trio.move_on_after(_ANSWER_WITHIN):
            while not self._answer:
                await self._news.park()
        if not self._answer:
            raise NobodyYields(
                f"no bridge has answered on {self._answer_topic}: look at "
                f"{self._topics.standby('+')}, and whether this user may write the request "
                "(hmp-bridge topics --format acl)"
            )
        if self._answer.get("outcome") != "ok":
            error = self._answer.get("error")
            told = error if isinstance(error, dict) else {}
            raise RefusedToYield(f"{told.get('message')}. {told.get('explanation')}")

    async def led(self) -> None:
        """Return once one of those leads that were ready."""
        value = self._answer.get("value")
        ready = value.get("to", []) if isinstance(value, dict) else []
        with trio.move_on_after(_LEADS_WITHIN):
            while True:
                for box in ready:
                    if box in self._words and self._words[box].state is BoxState.LEADER:
                        self.leader = box
                        return
                await self._news.park()
        raise NobodyYields(
            f"none of {', '.join(ready)} leads yet: look at what they say in their logs"
        )
