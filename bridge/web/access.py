"""Access to rooms over HTTP: which secret opens what, and the cookies that stand for one. Pure.

A cookie is an authentication code of its secret under a key of this installation. It says nothing
of the secret, needs no store, outlives restarts, and ends when the secret does.
"""

import hmac
from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

__all__ = ["COOKIE", "KEY_BYTES", "Access", "Grant", "Pass", "Role"]

COOKIE = "hmp_bridge_"
"""The beginning of a cookie's name; the rest tells which secret it is of."""

KEY_BYTES = 32
"""Bytes of the installation's key."""

_MOST_COOKIES = 32
"""Cookies of ours that are looked at: a tablet has one, a technician's laptop several."""


class Role(StrEnum):
    """The things that somebody may do with a room."""

    LOOK = "look"
    OPERATE = "operate"


class Grant(NamedTuple):
    """A role in one room, or in all of them (None)."""

    room: str | None
    role: Role


class Pass(frozenset[Grant]):
    """All that whoever asks may do."""

    def role(self, room: str) -> Role | None:
        """The role in a room; None where it may not even be looked at."""
        roles = {grant.role for grant in self if grant.room in (None, room)}
        return max(roles, default=None, key=list(Role).index)

    @property
    def everywhere(self) -> Role | None:
        """The role in all rooms, whatever they are called."""
        return Pass(grant for grant in self if grant.room is None).role("")


_EVERYTHING = Pass([Grant(None, Role.OPERATE)])
_NOTHING = Pass()


class Access:
    """What each of the secrets opens; without any, everybody may do everything.

    `key` has `KEY_BYTES` random bytes, the same for as long as cookies are to hold.
    """

    def __init__(self, secrets: Iterable[tuple[str, Grant]], key: bytes) -> None:
        self._key = key
        grants: dict[str, set[Grant]] = {}
        for secret, grant in secrets:
            grants.setdefault(secret, set()).add(grant)
        self._grants = {self._code("secret", each): Pass(may) for each, may in grants.items()}
        self._tokens = {self._name(each): self._code("cookie", each) for each in grants}
        self._named = {self._name(each): Pass(may) for each, may in grants.items()}

    @property
    def is_open(self) -> bool:
        """True where there are no secrets."""
        return not self._grants

    @property
    def nobody(self) -> Pass:
        """The pass of whoever shows nothing."""
        return _EVERYTHING if self.is_open else _NOTHING

    def by_secret(self, secret: str) -> Pass | None:
        """The pass that a secret gives; None for a wrong one."""
        # Looked up by its code, whose digits nobody can foresee: the time taken says nothing.
        return self._grants.get(self._code("secret", secret))

    def cookie(self, secret: str) -> tuple[str, str]:
        """Name and value of the cookie that stands for a right secret."""
        return self._name(secret), self._code("cookie", secret)

    def by_cookies(self, cookies: Mapping[str, str]) -> Pass:
        """The pass that cookies give together, whatever else is among them."""
        ours = [name for name in cookies if name.startswith(COOKIE)]
        found = (
            self._named[name]
            for name in ours[:_MOST_COOKIES]
            if name in self._tokens and _same(self._tokens[name], cookies[name])
        )
        return Pass(frozenset[Grant]().union(*found))

    def _name(self, secret: str) -> str:
        return f"{COOKIE}{self._code('name', secret)[:8]}"

    def _code(self, use: str, secret: str) -> str:
        # What is no text, as half of a surrogate pair, is a wrong secret like others.
        text = f"{use} {secret}".encode(errors="surrogatepass")
        return hmac.new(self._key, text, sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
