"""The check of the broker: it takes us, and lets us say and hear all that a bridge must.

Beside a running bridge, on the same base topic, without disturbing it: under a client id of its
own, with a session that ends with the connection, without a will. What is published goes to topics
``…/check`` that mean nothing to anybody, and to the bridge's marker, of which a running bridge only
minds what it has published itself. To the inputs goes only a button let go, which no bridge acts on
or answers (section 2 of the contract), under a name that is no action. The one value that is
retained is emptied again.

What proves what: a PUBACK of MQTT 5 says whether a publication was allowed; MQTT 3.1.1 has no such
word. A SUBACK says less than one would think: mosquitto with an ACL file grants every subscription
and then delivers nothing. So what is published is waited for: only what comes back proves both.
"""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import trio

from ..daemon.info_and_health import identity_in
from ..mqtt.api_topics import request_filters
from ..mqtt.failures import LOGIN, BrokerFailure, FailureKind, flatten
from ..mqtt.message import Message
from ..mqtt.negotiate import accepting, in_either_version
from ..mqtt.renewal import RENEW, ending
from ..mqtt.retained import read_retained
from ..mqtt.session import Session, open_session
from ..mqtt.settings import BrokerSettings, Protocol, Subscription
from ..mqtt.topics import Topics
from ..tls.files import ends_of
from .report import Blame, Finding, failed, noted, passed

__all__ = ["check_broker"]

_CLIENT_ID = "hmp-bridge-check-"

_FAREWELL = 2.0
"""Seconds for the last words, also of a check that is being interrupted."""

_HAND_IT_OVER = (
    "where systemd hands the bridge its password, hand it to this check too: LoadCredential="
)

_LEAF = "check"
"""The last level of every topic that is published to."""

_RELEASED = b"false"
"""The payload of a button that is let go."""

_NOT_ALLOWED = (FailureKind.SUBSCRIPTION, FailureKind.PUBLICATION, FailureKind.ECHO)
"""Refusals of the broker's, in words or by doing nothing, that do not end the connection."""

_Refusals = dict[str, BrokerFailure]
"""What the broker said against each topic."""

_BLAME = {
    **dict.fromkeys(LOGIN, Blame.NOT_AUTHORIZED),
    **dict.fromkeys(_NOT_ALLOWED, Blame.NOT_AUTHORIZED),
    FailureKind.CERTIFICATE: Blame.CONFIGURATION,
    FailureKind.FILE: Blame.CONFIGURATION,
    FailureKind.PROTOCOL_VERSION: Blame.CONFIGURATION,
}


async def check_broker(
    settings: BrokerSettings,
    topics: Topics,
    servers: Iterable[str],
    rooms: Iterable[str],
    *,
    bound: Iterable[str] = (),
) -> list[Finding]:
    """Reach, login, subscriptions, publications, retained values, and who else is there.

    `bound` are the topic filters of bindings.
    """
    own = replace(settings, client_id=f"{_CLIENT_ID}{secrets.token_hex(4)}", session_expiry=0)
    check = _Check(own, topics, list(servers), list(rooms), list(bound))
    try:
        await in_either_version(own, check.converse)
    except* BrokerFailure as group:
        check.ended(flatten(group))
    return check.found


class _Check:
    def __init__(
        self,
        settings: BrokerSettings,
        topics: Topics,
        servers: list[str],
        rooms: list[str],
        bound: list[str],
    ) -> None:
        self.found: list[Finding] = []
        self._settings = settings
        self._topics = topics
        self._servers = servers
        self._rooms = rooms
        self._inputs = (*topics.inputs, *request_filters(topics), *bound)
        self._subject = f"broker {settings.address}"
        self._trying = self._subject
        user = settings.username
        who = "clients without a user name" if user is None else f"the user {user!r}"
        bindings = f", and read access to {', '.join(bound)}" if bound else ""
        self._grant = f"give {who} read and write access to {topics.base}/#{bindings} on the broker"
        self._heard: set[tuple[str, bytes]] = set()
        self._awaited: set[tuple[str, bytes]] = set()
        self._echoed = trio.Event()

    def ended(self, failure: BrokerFailure) -> None:
        """The connection could not be made, or kept while something was tried."""
        seen, advice = failure.detail, failure.advice
        if not self.found and failure.kind in LOGIN:
            self.found.append(passed(self._subject, "reached"))
            self._trying = f"{self._subject} login"
            if self._settings.username is not None and not self._settings.password:
                advice += f"; {_HAND_IT_OVER}"
            if failure.kind is not FailureKind.CREDENTIALS:
                # The configured one is not borrowed: it would push a running bridge off.
                seen += f" with the client id {self._settings.client_id}"
                advice += f"; for this check, let client ids begin with {_CLIENT_ID}"
        self.found.append(failed(self._trying, seen, advice, _blame(failure)))

    async def converse(self, protocol: Protocol) -> None:
        """One connection, everything asked on it."""
        settings = self._settings
        async with open_session(
            settings,
            protocol,
            deliver=Message.acknowledge,
            accepting=accepting(settings, protocol),
        ) as session:
            session.interceptors.append(self._hear)
            self._accepted(protocol)
            self._look_at_certificates(session)
            await self._subscribe(session)
            await self._publish(session)
            await self._retain(session)
            await self._who_is_there(session)
            with trio.move_on_after(_FAREWELL, shield=True):
                await session.disconnect()

    def _accepted(self, protocol: Protocol) -> None:
        settings = self._settings
        over = [
            *(["TLS"] if settings.tls is not None else []),
            *(["WebSocket"] if settings.transport == "websockets" else []),
        ]
        said = f"reached over {' and '.join(over)}" if over else "reached"
        self.found.append(passed(self._subject, f"{said}, MQTT {protocol}"))
        self.found.append(passed(f"{self._subject} login", f"accepted {settings.login}"))

    def _look_at_certificates(self, session: Session) -> None:
        if self._settings.tls is None or session.tls is None:
            return
        ends = {**ends_of(self._settings.tls, "mqtt.tls"), **session.tls.peer_ends()}
        for whose, days in ending(ends):
            self.found.append(noted(self._subject, f"{whose} ends in {days} days", RENEW))

    def _hear(self, message: Message) -> bool:
        key = message.topic, message.payload
        if key not in self._awaited:
            return False
        self._heard.add(key)
        if self._heard >= self._awaited:
            self._echoed.set()
        return True

    async def _come_back(self, published: Iterable[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
        """Those that did in time; where all do, none is lost."""
        self._awaited = set(published)
        if not self._heard >= self._awaited:
            self._echoed = trio.Event()
            with trio.move_on_after(self._settings.connect_timeout / 2):
                await self._echoed.wait()
        return self._heard & self._awaited

    def _not_allowed(self, subject: str, failure: BrokerFailure) -> Finding:
        """Access is to be given, unless the broker has given another reason, or none."""
        blame = _blame(failure)
        advice = self._grant if blame is Blame.NOT_AUTHORIZED else failure.advice
        return failed(subject, failure.detail, advice, blame)

    # Subscriptions.

    async def _subscribe(self, session: Session) -> None:
        subject = self._trying = "subscriptions"
        base = self._topics.base
        # What the bridge reads of its own: who else is there, and its rooms on a replaced box.
        outputs = (f"{base}/room/+/{_LEAF}", f"{base}/server/+/{_LEAF}")
        wanted = [
            *(Subscription(each) for each in self._inputs),
            *(Subscription(each, retain_as_published=False) for each in outputs),
        ]
        refused = False
        for subscription in wanted:  # each alone, so that each refusal is heard
            try:
                await session.subscribe([subscription])
            except BrokerFailure as failure:
                if failure.kind is not FailureKind.SUBSCRIPTION:
                    raise
                refused = True
                self.found.append(self._not_allowed(subject, failure))
        if not refused:
            self.found.append(passed(subject, f"accepted for {', '.join(self._inputs)}"))

    # Publications.

    async def _publish(self, session: Session) -> None:
        self._trying = "publications"
        token = secrets.token_hex(8).encode()
        base = self._topics.base
        ours = [
            *((f"{base}/server/{name}/{_LEAF}", token) for name in self._servers),
            *((self._topics.room(name, _LEAF), token) for name in self._rooms),
        ]
        presses = [(self._topics.room(name, f"press/{_LEAF}"), _RELEASED) for name in self._rooms]
        self._heard.clear()
        self._awaited = {*ours, *presses}
        refused = await _publish_all(session, [*ours, *presses])
        waited_for = [each for each in (*ours, *presses) if each[0] not in refused]
        arrived = await self._come_back(waited_for)
        # Nothing is published to one topic twice: what has come back is known by its topic.
        came_back = {topic for topic, _ in arrived}
        silent = [topic for topic, _ in ours if topic not in came_back]
        self._say_of_ours(len(ours), silent, refused, session.protocol)
        silent = [topic for topic, _ in presses if topic not in came_back]
        self._say_of_presses(silent, refused, session.protocol)

    def _say_of_ours(
        self, count: int, silent: list[str], refused: _Refusals, protocol: Protocol
    ) -> None:
        subject = "publications"
        for topic in silent:
            if topic in refused:
                self.found.append(self._not_allowed(subject, refused[topic]))
                continue
            said = f"what was published to {topic} " + (
                "was accepted and did not come back: it may not be read"
                if protocol == "5"
                else "did not come back: it may not be written or not be read"
            )
            self.found.append(failed(subject, said, self._grant, Blame.NOT_AUTHORIZED))
        if not silent:
            said = f"published to {count} topics of servers and rooms, and read back"
            self.found.append(passed(subject, said))

    def _say_of_presses(self, silent: list[str], refused: _Refusals, protocol: Protocol) -> None:
        """A bridge need not be allowed to press its own buttons: a refusal proves nothing."""
        subject = "presses"
        unread = [topic for topic in silent if protocol == "5" and topic not in refused]
        for topic in unread:
            said = f"what was published to {topic} was accepted and did not come back"
            self.found.append(failed(subject, said, self._grant, Blame.NOT_AUTHORIZED))
        if not silent:
            self.found.append(passed(subject, "arrive from every room"))
        elif not unread:
            why = (
                f"this user may not publish to {silent[0]}"
                if silent[0] in refused
                else f"nothing came back of what was published to {silent[0]}"
            )
            said = f"could not be tried: {why}; the subscription was accepted"
            self.found.append(noted(subject, said, "press a button and see that it arrives"))

    async def _retain(self, session: Session) -> None:
        """That a retained value is kept, and given to whoever subscribes later."""
        subject = self._trying = "retained values"
        topic = f"{self._topics.base}/{self._topics.own_path}/{_LEAF}"
        kept = topic, secrets.token_hex(8).encode()
        self._heard.clear()
        try:
            await session.publish(*kept, retain=True)
            self._awaited = {kept}
            await session.subscribe([Subscription(topic, 0, retain_as_published=False)])
            arrived = await self._come_back([kept])
        except BrokerFailure as failure:
            if failure.kind not in _NOT_ALLOWED:
                raise
            finding = self._not_allowed(subject, failure)
        else:
            if arrived:
                finding = await self._by_wildcard(session, kept)
            else:
                said = f"what was retained on {topic} did not come back"
                advice = f"{self._grant}, and let it retain messages"
                finding = failed(subject, said, advice, Blame.NOT_AUTHORIZED)
        finally:
            with trio.move_on_after(_FAREWELL, shield=True):
                session.post(topic, b"", qos=1, retain=True)
                await trio.lowlevel.checkpoint()
        self.found.append(finding)

    async def _by_wildcard(self, session: Session, kept: tuple[str, bytes]) -> Finding:
        """That it is also given to subscriptions with a wildcard: RabbitMQ does not."""
        topics = self._topics
        held = await read_retained(
            session, [f"{topics.base}/{topics.own_path}/+"], topics.bridge_marker
        )
        if kept in held.items():
            return passed("retained values", "are kept by the broker")
        said = "are kept by the broker, and not given to subscriptions with + or #"
        advice = "have whoever reads them subscribe to each topic by its name; the bridge does"
        return noted("retained values", said, advice)

    async def _who_is_there(self, session: Session) -> None:
        topics = self._topics
        subject = self._trying = f"topics below {topics.base}/bridge"
        info, state = topics.bridge_info, topics.bridge_state
        try:
            retained = await read_retained(session, [info, state], topics.bridge_marker)
        except BrokerFailure as failure:
            if failure.kind not in _NOT_ALLOWED:
                raise
            self.found.append(self._not_allowed(subject, failure))
            return
        other = identity_in(retained.get(info, b""))
        if retained.get(state) == b"online" and other is not None:
            said = f"bridge {other.instance} is online since {other.started_at}"
            self.found.append(noted(f"base topic {topics.base}", said))


def _blame(failure: BrokerFailure) -> Blame:
    """By its kind; where its reason has an advice of its own, it is not one of access."""
    if failure.kind in _NOT_ALLOWED and failure.advice != failure.kind.value:
        return Blame.UNAVAILABLE
    return _BLAME.get(failure.kind, Blame.UNAVAILABLE)


async def _publish_all(session: Session, messages: Iterable[tuple[str, bytes]]) -> _Refusals:
    """Publish all at once; what the broker says against each topic that it refused (MQTT 5)."""
    refused: _Refusals = {}

    async def publish(topic: str, payload: bytes) -> None:
        try:
            await session.publish(topic, payload)
        except BrokerFailure as failure:
            if failure.kind is not FailureKind.PUBLICATION:
                raise
            refused[topic] = failure

    async with trio.open_nursery() as nursery:
        for topic, payload in messages:
            nursery.start_soon(partial(publish, topic, payload))
    return refused
