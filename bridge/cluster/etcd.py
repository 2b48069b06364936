"""A client of etcd over its JSON gateway, which every member of etcd 3.4 and later has at ``/v3``.

It speaks to one member for as long as that works, and asks the next one when it does not, or does
not answer in time. So whatever is asked may happen more than once, or after it was given up: what
is asked here bears that. A lease too many ends by itself; every transaction names what it is to
find, and its caller recognises its own.
"""

import json
import ssl
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import trio
from pydantic import BaseModel, ValidationError

from ..journal.store import StoreFailure
from ..tls.files import TlsFiles
from ..tls.settings import TlsSettings
from .settings import EtcdSettings
from .wire import (
    Authenticated,
    Granted,
    Json,
    KeptAlive,
    KeyValue,
    Ranged,
    Refusal,
    Revoked,
    Status,
    Transacted,
    as_base64,
    end_of,
)

if TYPE_CHECKING:  # an extra that need not be there
    import httpx

__all__ = ["Etcd", "Refused", "Unreachable"]

A = TypeVar("A", bound=BaseModel)

_PAGE = 200
"""Keys that are read at a time."""

_SHARE = 0.6
"""Of the lease's time: what asking each member once may take at most."""

_AGAIN, _PAUSE = 0.4, 0.05
"""Of the lease's time: for how long all are asked once more; and seconds between two rounds."""

_UNAUTHENTICATED, _UNAVAILABLE, _NOT_FOUND = 16, 14, 5
_DENIED, _EXHAUSTED, _DEADLINE, _FAILED, _INVALID = 7, 8, 4, 9, 3
"""Numbers of gRPC's."""


class Unreachable(StoreFailure):
    """No member answered as etcd does, or none in time; what was asked may have been done."""


class Refused(StoreFailure):
    """A member answered that it will not; `code` is gRPC's."""

    def __init__(self, message: str, what_to_do: str, code: int) -> None:
        super().__init__(message, what_to_do)
        self.code = code


class _Elsewhere(Exception):
    """This member cannot answer; another one may."""


class Etcd:
    """Asks etcd; to be entered before. Everything raises `Unreachable` and `Refused`."""

    def __init__(self, settings: EtcdSettings) -> None:
        self.settings = settings
        self._endpoints = deque(settings.endpoints)
        self._each = settings.ttl * _SHARE / len(settings.endpoints)
        self._files = TlsFiles(settings.tls or TlsSettings(), "bridge.journal")
        self._context: ssl.SSLContext | None = None
        self._stack = AsyncExitStack()
        self._client: httpx.AsyncClient
        self._answered = False
        #: None: yet to be got. Empty: none is wanted.
        self._token: str | None = None if settings.username else ""

    async def __aenter__(self) -> Self:
        await self._connect(self._load())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with trio.move_on_after(1.0, shield=True):
            await self._stack.aclose()

    def _load(self) -> ssl.SSLContext | None:
        """The certificates that are there now: the same object while they are the same."""
        if not any(each.startswith("https:") for each in self.settings.endpoints):
            return None
        try:
            return self._files.context()
        except OSError as error:
            raise Unreachable(
                f"a certificate for etcd cannot be loaded: {error}",
                "see bridge.journal: ca, cert and key are paths of PEM files",
            ) from None

    async def _connect(self, context: ssl.SSLContext | None) -> None:
        """Have a client of these certificates; connections in use go on (R30)."""
        import httpx

        self._context = context
        client = httpx.AsyncClient(
            verify=context or False, trust_env=False, timeout=httpx.Timeout(self._each)
        )
        self._client = await self._stack.enter_async_context(client)

    # What there is to ask.

    async def range(self, prefix: str) -> list[KeyValue]:
        """Every key that begins with `prefix`, as all of them were at one moment."""
        found: list[KeyValue] = []
        asked: Json = {
            "key": as_base64(prefix),
            "range_end": as_base64(end_of(prefix)),
            "limit": str(_PAGE),
        }
        while True:
            page = await self._ask("kv/range", asked, Ranged)
            found += page.kvs
            if not (page.more and page.kvs):
                return found
            asked.setdefault("revision", str(page.header.revision))
            asked["key"] = as_base64(page.kvs[-1].key + "\0")

    async def get(self, key: str) -> KeyValue | None:
        """A key; None where there is none."""
        answer = await self._ask("kv/range", {"key": as_base64(key)}, Ranged)
        return answer.kvs[0] if answer.kvs else None

    async def transact(
        self, compare: Sequence[Json], success: Sequence[Json], failure: Sequence[Json] = ()
    ) -> Transacted:
        """Do `success` if everything compared is so, else `failure`."""
        asked = {"compare": [*compare], "success": [*success], "failure": [*failure]}
        return await self._ask("kv/txn", asked, Transacted)

    async def grant(self, ttl: float) -> Granted:
        """A lease that ends after so many seconds in which nobody has kept it alive."""
        return await self._ask("lease/grant", {"TTL": str(round(ttl))}, Granted)

    async def keep_alive(self, lease: int) -> float:
        """The seconds that a lease has from now on; 0 where there is none any more."""
        kept = await self._ask("lease/keepalive", {"ID": str(lease)}, KeptAlive)
        return float(max(0, kept.result.ttl))

    async def revoke(self, lease: int) -> None:
        """End a lease, and the keys that hang on it."""
        try:
            await self._ask("lease/revoke", {"ID": str(lease)}, Revoked)
        except Refused as refused:
            if refused.code != _NOT_FOUND:
                raise

    async def status(self, endpoint: str) -> Status:
        """One member as it sees itself."""
        try:
            with trio.fail_after(self._each):
                return await self._once(endpoint, "maintenance/status", {}, Status)
        except (_Elsewhere, trio.TooSlowError) as error:
            raise self._unreachable({endpoint: _reason(error)}) from None

    # How it is asked.

    async def _ask(self, path: str, body: Json, kind: type[A]) -> A:
        """The answer of the first member that has one.

        Where etcd has answered until now, all are asked again for a while: those that are left may
        be choosing who leads them. Where it has not, nobody waits for more than one round.
        """
        until = trio.current_time() + (self.settings.ttl * _AGAIN if self._answered else 0.0)
        while True:
            failures: dict[str, str] = {}
            answer = await self._round(path, body, kind, failures)
            self._answered = answer is not None
            if answer is not None:
                return answer
            if trio.current_time() >= until:
                raise self._unreachable(failures)
            await trio.sleep(_PAUSE)

    async def _round(
        self, path: str, body: Json, kind: type[A], failures: dict[str, str]
    ) -> A | None:
        """Ask each member once; None, and why by member, where none has an answer."""
        while len(failures) < len(self._endpoints):
            endpoint = next(each for each in self._endpoints if each not in failures)
            try:
                with trio.fail_after(self._each):
                    return await self._once(endpoint, path, body, kind)
            except (_Elsewhere, trio.TooSlowError) as error:
                failures[endpoint] = _reason(error)
                if self._endpoints[0] == endpoint:
                    self._endpoints.rotate(-1)
                if (context := self._load()) is not self._context:
                    await self._connect(context)
        return None

    def _unreachable(self, failures: dict[str, str]) -> Unreachable:
        told = "; ".join(f"{endpoint}: {reason}" for endpoint, reason in failures.items())
        return Unreachable(
            f"etcd does not answer ({told})",
            "look at etcd, and at the way there: more than half of its members must be up",
        )

    async def _once(self, endpoint: str, path: str, body: Json, kind: type[A]) -> A:
        """One member's answer, logged in again where it has forgotten who we are.

        Raises `_Elsewhere` and `Refused`.
        """
        for last in (False, True):
            if self._token is None:
                self._token = await self._log_in(endpoint)
            try:
                return await self._post(endpoint, path, body, kind, self._token)
            except Refused as refused:
                if last or not self.settings.username or not _wants_login(refused):
                    raise
                self._token = None
        raise AssertionError  # pragma: no cover - the second round returns or raises

    async def _log_in(self, endpoint: str) -> str:
        login: Json = {"name": self.settings.username, "password": self.settings.password or ""}
        try:
            answer = await self._post(endpoint, "auth/authenticate", login, Authenticated, "")
        except Refused as refused:
            if refused.code == _FAILED:  # nobody has to log in here
                return ""
            raise
        return answer.token

    async def _post(self, endpoint: str, path: str, body: Json, kind: type[A], token: str) -> A:
        import httpx

        from .body import Body

        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        if token:
            headers["Authorization"] = token
        url = f"{endpoint}/v3/{path}"
        request = self._client.build_request("POST", url, headers=headers)
        request.stream = Body(data)
        try:
            response = await self._client.send(request)
        except (httpx.HTTPError, OSError) as error:
            raise _Elsewhere(_reason(error)) from None
        try:
            if response.status_code == 200:
                return kind.model_validate_json(response.content)
            refusal = Refusal.model_validate_json(response.content)
        except ValidationError:
            said = response.text[:80].strip()
            raise _Elsewhere(f"no answer of etcd's: {response.status_code} {said!r}") from None
        if refusal.code in (_UNAVAILABLE, _DEADLINE):
            raise _Elsewhere(refusal.message)
        raise Refused(
            f"etcd at {endpoint} refuses: {refusal.message}", _advice(refusal), refusal.code
        )


def _reason(error: BaseException) -> str:
    """What went wrong, in the words of whoever has any: httpx has none for what TLS says late."""
    if isinstance(error, trio.TooSlowError):
        return "no answer in time"
    cause: BaseException | None = error
    while cause is not None and not str(cause):
        cause = cause.__cause__ or cause.__context__
    return str(cause) if cause is not None else f"the connection broke ({type(error).__name__})"


def _wants_login(refused: Refused) -> bool:
    """The token has run out, the users were changed, or etcd asks who we are since a moment ago."""
    return refused.code == _UNAUTHENTICATED or (
        refused.code == _INVALID
        and ("user name is empty" in str(refused) or "auth store is old" in str(refused))
    )


def _advice(refusal: Refusal) -> str:
    if refusal.code == _DENIED:
        return "give this user a role that may read and write the keys of the bridge"
    if "user name is empty" in refusal.message:
        return "set bridge.journal.username and its password"
    if "authentication failed" in refusal.message:
        return "correct bridge.journal.username or its password"
    if refusal.code == _EXHAUSTED and "space" in refusal.message:
        return (
            "let etcd compact by itself (--auto-compaction-retention), etcdctl defrag, alarm disarm"
        )
    return "look at etcd's log, and at its version: 3.4 or later"
