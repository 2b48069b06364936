"""The JSON that etcd's gateway takes and gives (etcd, *gRPC gateway* and *API reference*); pure.

Keys and values are text. The gateway has them in base64, and whole numbers as text. What is zero,
empty or false is left out of an answer.
"""

import base64
from typing import Annotated, Any, TypeAlias

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

__all__ = [
    "Authenticated",
    "Granted",
    "Header",
    "KeptAlive",
    "KeyValue",
    "Ranged",
    "Refusal",
    "Revoked",
    "Status",
    "Transacted",
    "as_base64",
    "created",
    "delete",
    "end_of",
    "get",
    "modified",
    "put",
]

Json: TypeAlias = dict[str, Any]


def as_base64(text: str) -> str:
    """A key or a value as it stands in a request."""
    return base64.b64encode(text.encode()).decode("ascii")


def _from_base64(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is no base64")  # noqa: TRY004 - as pydantic wants it
    return base64.b64decode(value, validate=True).decode()


Text = Annotated[str, BeforeValidator(_from_base64)]

# What is asked.


def created(key: str, revision: int) -> Json:
    """The condition that a key was made at a revision, 0 if there is none."""
    return _compare(key, "CREATE", "create_revision", revision)


def modified(key: str, revision: int) -> Json:
    """The condition that a key was last written at a revision, 0 if there is none."""
    return _compare(key, "MOD", "mod_revision", revision)


def _compare(key: str, target: str, name: str, revision: int) -> Json:
    return {
        "key": as_base64(key),
        "target": target,
        "result": "EQUAL",
        name: str(revision),
    }


def put(key: str, value: str, lease: int = 0) -> Json:
    """Write a key; it ends with its `lease`, where it has one."""
    return {"request_put": {"key": as_base64(key), "value": as_base64(value), "lease": str(lease)}}


def get(key: str) -> Json:
    """Read a key."""
    return {"request_range": {"key": as_base64(key)}}


def delete(key: str, end: str = "") -> Json:
    """Remove a key, or all from `key` to before `end`."""
    asked = {"key": as_base64(key)}
    if end:
        asked["range_end"] = as_base64(end)
    return {"request_delete_range": asked}


def end_of(prefix: str) -> str:
    """The first key behind all that begin with `prefix`, whose last character is ASCII."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


# What is answered.


class Header(BaseModel):
    """What every answer begins with; `revision` is that of the store at the time."""

    revision: int = 0


class KeyValue(BaseModel):
    """A key as it was read."""

    key: Text
    value: Text = ""
    create_revision: int
    mod_revision: int
    lease: int = 0


class Ranged(BaseModel):
    """The answer to a range; `more`: there are further keys in it."""

    header: Header = Header()
    kvs: tuple[KeyValue, ...] = ()
    more: bool = False


class _Response(BaseModel):
    response_range: Ranged = Ranged()


class Transacted(BaseModel):
    """The answer to a transaction; of what was read in it, every key."""

    header: Header
    succeeded: bool = False
    responses: tuple[_Response, ...] = ()

    @property
    def found(self) -> dict[str, KeyValue]:
        """What was read, by key."""
        return {each.key: each for one in self.responses for each in one.response_range.kvs}


class Granted(BaseModel):
    """A lease, and the seconds for which it lives if nobody asks for it again."""

    id: int = Field(validation_alias="ID")
    ttl: int = Field(validation_alias="TTL")


class _Life(BaseModel):
    ttl: int = Field(0, validation_alias="TTL")


class KeptAlive(BaseModel):
    """The answer to keeping a lease alive; its `ttl` is 0 where there is none."""

    result: _Life


class Revoked(BaseModel):
    """A lease is no more."""

    header: Header


class Authenticated(BaseModel):
    """Who we are from now on."""

    token: str


class Status(BaseModel):
    """A member of etcd as it sees itself; `leader` is 0 where it knows none."""

    version: str
    leader: int = 0


class Refusal(BaseModel):
    """An error, by a number of gRPC's."""

    message: str = Field(validation_alias=AliasChoices("message", "error"))
    code: int
