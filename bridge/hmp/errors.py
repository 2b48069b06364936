"""Failures between the bridge and HMP, as exceptions grouped by who must act.

HmpError
├ Refused            HMP answered ERROR; nothing else happened
│ └ NotAuthorized    … because this box is not on its list
├ LinkDown           nothing was sent
├ OutcomeUnknown     it was sent, the reply never came: HMP may have done it (R7)
│ └ NotUnderstood    … or it came, and what it carries is none of the guide's
├ ProtocolViolation  HMP sent what its guide does not allow
├ LocalProtocolError this bridge used the protocol wrongly
└ InvalidArgument    refused here, before anything was sent (R17); also a ValueError
"""

from ..text.shortened import shortened
from .error_kinds import ErrorKind, Meaning
from .error_table import meaning_of
from .link import LinkState

__all__ = [
    "ErrorKind",
    "HmpError",
    "InvalidArgument",
    "LinkDown",
    "LocalProtocolError",
    "NotAuthorized",
    "NotUnderstood",
    "OutcomeUnknown",
    "ProtocolViolation",
    "Refused",
    "explain",
]

#: Codes that put HMP's back end in doubt: the link asks again before it sends anything else.
_BACKEND_CODES = frozenset({"070000", "070006", "070007", "090001"})

_LONGEST_SAID = 300
"""Characters of what HMP said that people are shown: it echoes what it was sent (E38)."""

_LONGEST_SHOWN = 80
"""Characters of a wrong argument that they are shown."""


class HmpError(Exception):
    """Anything that kept a command from succeeding."""


class Refused(HmpError):
    """HMP answered ``ERROR|code|message``.

    `code` is normalised to six digits, `raw_code` is as received (empty where HMP sent none, E5),
    `message` is shortened to what people can read, `command` is the name of the command.
    """

    def __init__(self, code: str, message: str, raw_code: str, command: str) -> None:
        said = shortened(message, _LONGEST_SAID)
        super().__init__(code, said, raw_code, command)
        # The wording tells codes of several meanings apart, at its end too.
        self._meaning = meaning_of(code, message, command)
        self.code = code
        self.message = said
        self.raw_code = raw_code
        self.command = command

    def __str__(self) -> str:
        return f"{self.command}: {self.code} {self.message}"

    @property
    def meaning(self) -> Meaning:
        """The row of the error table: kind, explanation, what to do."""
        return self._meaning

    @property
    def kind(self) -> ErrorKind:
        """The kind of the error; the thing to branch on."""
        return self.meaning.kind

    @property
    def backend_down(self) -> bool:
        """True if the code puts HMP's back end in doubt (E48)."""
        return self.code in _BACKEND_CODES


class NotAuthorized(Refused):
    """HMP does not accept commands from this box (``020000``), and executed none."""

    def __init__(
        self,
        code: str = "020000",
        message: str = "Not Authorized",
        raw_code: str = "020000",
        command: str = "connect",
    ) -> None:
        super().__init__(code, message, raw_code, command)


class LinkDown(HmpError):
    """The server link cannot take the command: nothing was sent."""

    def __init__(self, state: LinkState, reason: str = "") -> None:
        super().__init__(state, reason)
        self.state = state
        self.reason = reason

    def __str__(self) -> str:
        return f"HMP is {self.state}" + (f": {self.reason}" if self.reason else "")


class OutcomeUnknown(HmpError):
    """The command, or a part of it, was written and the reply never came.

    `waited` is the seconds since it was written.
    """

    def __init__(self, command: str, reason: str, waited: float = 0.0) -> None:
        super().__init__(command, reason, waited)
        self.command = command
        self.reason = reason
        self.waited = waited

    def __str__(self) -> str:
        return f"{self.command}: sent, but {self.reason}; HMP may have carried it out"


class NotUnderstood(OutcomeUnknown):
    """HMP answered ``OK`` with a value that its guide does not have; what it tells is lost.

    The line is a reply like any other, so the stream is as good as before.
    """

    def __str__(self) -> str:
        return f"{self.command}: {self.reason}"


class ProtocolViolation(HmpError):
    """HMP sent what its guide does not allow; the stream can no longer be trusted."""

    def __init__(self, reason: str) -> None:
        super().__init__(shortened(reason, _LONGEST_SAID))


class LocalProtocolError(HmpError):
    """This bridge asked its own protocol machine for what it cannot do: a bug here."""


class InvalidArgument(HmpError, ValueError):
    """An argument that HMP would not take, or that must not reach the wire (R17).

    `field` is the parameter's name, `value` what was given, `reason` what is wrong and what would
    be right.
    """

    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(field, value, reason)
        self.field = field
        self.value = value
        self.reason = reason

    def __str__(self) -> str:
        if isinstance(self.value, list):  # all of a command's parameters: their number is meant
            return f"{self.field} {self.reason}"
        # Of a long text no more is looked at than is shown.
        shown = self.value[:_LONGEST_SHOWN] if isinstance(self.value, str) else self.value
        return f"{self.field}: {shortened(repr(shown), _LONGEST_SHOWN)} {self.reason}"


def explain(refused: Refused) -> str:
    """Two sentences for people: what is the matter, and what to do."""
    meaning = refused.meaning
    return f"{meaning.explanation} {meaning.what_to_do}"
