"""Ways in which a server link fails, each with its state and what to do about it in HMP (R21)."""

import errno
import socket

from ..process.tcp import causes
from .errors import LinkDown
from .link import LinkSettings, LinkState

__all__ = [
    "NOT_AUTHORIZED",
    "Unusable",
    "backend_down",
    "connection_lost",
    "not_authorized",
    "not_connected",
    "withdrawn",
]

_API = "Administration > System Settings > API Access"

NOT_AUTHORIZED = "not authorized"
"""The way of failing of which HMP itself has told; closing the connection at once is another."""


class Unusable(LinkDown):
    """The connection cannot be used, or could not be made.

    `way` names the way of failing: a link logs each once. `wait_at_least` is seconds before
    another attempt makes sense.
    """

    def __init__(
        self,
        state: LinkState,
        way: str,
        reason: str,
        what_to_do: str,
        wait_at_least: float = 0.0,
    ) -> None:
        super().__init__(state, reason)
        self.way = way
        self.what_to_do = what_to_do
        self.wait_at_least = wait_at_least

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the line of the log that tells of it."""
        return {"state": str(self.state), "error": self.reason, "what_to_do": self.what_to_do}


def not_connected(settings: LinkSettings, error: BaseException) -> Unusable:
    """The reason why connecting failed with `error`, an `OSError` or a time-out."""
    where = f"{settings.host}:{settings.port}"
    reasons = causes(error)
    if any(isinstance(cause, socket.gaierror) for cause in reasons):
        return Unusable(
            LinkState.DOWN,
            "name",
            f"the name {settings.host!r} cannot be resolved",
            f"Check servers.{settings.name}.host and this box's DNS, or use HMP's IP address.",
        )
    if any(isinstance(cause, ConnectionResetError) for cause in reasons):
        # Accepted and turned away so quickly that it looks like a failure to connect (E47).
        return not_authorized(settings, None, silently=True)
    if any(isinstance(cause, ConnectionRefusedError) for cause in reasons):
        return Unusable(
            LinkState.REFUSED,
            "refused",
            f"nothing listens on {where}",
            f"In HMP switch Command Line API on under {_API} and check the port; HMP may also be "
            "down or starting.",
        )
    if any(isinstance(cause, TimeoutError) for cause in reasons):
        return Unusable(
            LinkState.DOWN,
            "connect timeout",
            f"{where} did not answer within {settings.connect_timeout:g} s",
            "Check that HMP is on and that no firewall between it and this box drops TCP "
            f"port {settings.port}.",
        )
    number = next((cause.errno for cause in reasons if getattr(cause, "errno", None)), None)
    return Unusable(
        LinkState.DOWN,
        f"connect {errno.errorcode.get(number, '?') if number else type(error).__name__}",
        f"{where} cannot be reached: {error}",
        "Check the network between this box and HMP.",
    )


def not_authorized(
    settings: LinkSettings, local_address: str | None, *, silently: bool = False
) -> Unusable:
    """HMP does not have `local_address`, this box as HMP sees it, on its list.

    `silently` where it closed the connection without saying so (E47). That may as well be an HMP
    that is restarting, so such a link is not made to wait until HMP's list has surely changed.
    """
    box = f"this box's address {local_address}" if local_address else "this box's address"
    reason = (
        "HMP closed the connection before it answered anything, as it may do with boxes that are "
        "not on its list"
        if silently
        else "HMP does not accept commands from this box"
    )
    return Unusable(
        LinkState.UNAUTHORIZED,
        "closed at once" if silently else NOT_AUTHORIZED,
        reason,
        f"In HMP add {box} to the authorized devices under {_API}; it applies within 10 s.",
        0.0 if silently else settings.unauthorized_wait,
    )


def backend_down(code: str, message: str) -> Unusable:
    """HMP answers, but what is behind its API does not (E48)."""
    return Unusable(
        LinkState.DEGRADED,
        "degraded",
        f"HMP answers, but its services do not: {code} {message}",
        "Wait while HMP starts; if it lasts minutes, look at HMP's logs and restart HMP.",
    )


def connection_lost(reason: str) -> Unusable:
    """The connection ended or had to be closed."""
    return Unusable(
        LinkState.DOWN,
        f"lost: {reason.partition(':')[0]}",
        reason,
        "Nothing: the bridge connects again. If it keeps happening, check HMP and the network.",
    )


def withdrawn() -> Unusable:
    """Another box may have the right to act by now (R36): nothing was sent."""
    return Unusable(
        LinkState.DOWN,
        "withdrawn",
        "another box of this bridge may lead",
        "Nothing: this box waits until it leads, or is alone.",
    )
