"""Other certificates for a connection that is up: come again with them, and lose nothing (R30)."""

import math
import time
from collections.abc import Callable, Mapping

import structlog
import trio

from ..tls.files import TlsFiles
from .failures import LOGIN, BrokerFailure, FailureKind
from .negotiate import bare_failure
from .session import Session
from .settings import BrokerSettings

__all__ = ["RENEW", "ending", "is_of_the_login", "keep_renewed", "of_an_ended_certificate"]

log = structlog.get_logger("mqtt")

_LOOK_EVERY = 5.0
"""Seconds between two looks at the files."""

_TRY_EVERY = 60.0
"""Seconds after which a broker is asked again that would not have the files."""

_QUIET_WITHIN = 60.0
"""Seconds for which a quiet moment is waited for; without one nothing is lost either."""

_WARN_BEFORE = 14 * 86_400.0
"""Seconds before its end at which a certificate is spoken of, then once a day."""

_DAY = 86_400.0

RENEW = "renew it: put other files in place of the old ones, a restart is not needed"

_ENDED = f"this connection goes on, and none can be made after it; {RENEW}"


async def keep_renewed(
    session: Session, settings: BrokerSettings, files: TlsFiles | None, quiet: Callable[[], bool]
) -> None:
    """End the session, for the next one to be made, when other files can be used.

    Not before the broker has accepted a connection with them. `quiet` is true while nothing is
    under way in either direction.
    """
    thread = trio.CapacityLimiter(1)  # its own: a file system that hangs holds up nothing else
    tls, said, ends = session.tls, None, _Ends()
    if tls is None or files is None:
        return
    try_at = 0.0
    while True:
        await trio.sleep(_LOOK_EVERY)
        renewed = await trio.to_thread.run_sync(files.renewed, tls.shared, limiter=thread)
        if files.problem != said and (said := files.problem) is not None:
            log.warning(
                "the files of mqtt.tls cannot be used; the connection goes on with those before",
                error=said,
                what_to_do="put a certificate and the key that belongs to it in place",
            )
        ends.tell({**files.ends, **tls.peer_ends()}, trio.current_time())
        # MQTT 3.1.1 keeps no session for us: what comes meanwhile would be lost.
        if not renewed or session.protocol != "5" or trio.current_time() < try_at:
            continue
        refusal = await bare_failure(settings, "5")
        if refusal is None or is_of_the_login(refusal, settings):
            break
        try_at = trio.current_time() + _TRY_EVERY
        log.warning(
            "the broker does not accept what is in the files of mqtt.tls now",
            what_to_do=refusal.value,
        )
    with trio.move_on_after(_QUIET_WITHIN):
        while True:
            if quiet():
                break
            await trio.sleep(0.05)
    session.give_up(BrokerFailure(FailureKind.RENEWED, "the files of mqtt.tls are others"))


class _Ends:
    """Speaks of certificates that end: once a day before and after, and once when they do."""

    def __init__(self) -> None:
        self._again_at = 0.0
        self._ended: set[tuple[str, float]] = set()

    def tell(self, ends: Mapping[str, float], now: float) -> None:
        """Say what is due; `ends` in seconds since the epoch, `now` as Trio counts."""
        for each in ends.items():
            if each[1] <= time.time() and each not in self._ended:
                self._ended.add(each)
                log.error("a certificate has ended", whose=each[0], what_to_do=_ENDED)
        if now >= self._again_at:
            self._again_at = now + _DAY
            for whose, days in ending(ends):
                log.warning("a certificate ends soon", whose=whose, days=days, what_to_do=RENEW)


def of_an_ended_certificate(failure: BrokerFailure, ends: Mapping[str, float]) -> BrokerFailure:
    """The failure of an attempt, told as what it is where our own certificate has ended.

    Over TLS 1.3 the handshake is over for us before the broker looks at our certificate (RFC 8446,
    4.4): one that it refuses looks like a connection that was lost.
    """
    unsaid = failure.kind in (FailureKind.LOST, FailureKind.UNANSWERED, FailureKind.NO_ANSWER)
    if not unsaid or ends.get("mqtt.tls.cert", math.inf) > time.time():
        return failure
    return BrokerFailure(FailureKind.OWN_EXPIRED, f"{failure.detail}; mqtt.tls.cert has ended")


def is_of_the_login(refusal: FailureKind, settings: BrokerSettings) -> bool:
    """True where a bare connection was refused for the login that it lacks, not its certificate.

    Without a user name the certificate is the login.
    """
    return refusal in LOGIN if settings.username else refusal is FailureKind.CLIENT_ID


def ending(ends: Mapping[str, float]) -> list[tuple[str, float]]:
    """Of ends in seconds since the epoch: whose is near or past, and in how many days."""
    left = ((whose, at - time.time()) for whose, at in ends.items())
    return [(whose, round(each / _DAY, 1)) for whose, each in left if each < _WARN_BEFORE]
