"""Other certificates for a connection that is up: come again with them, and lose nothing (R30)."""

import time
from collections.abc import Callable

import structlog
import trio

from .failures import LOGIN, BrokerFailure, FailureKind
from .negotiate import bare_failure
from .session import Session
from .settings import BrokerSettings
from .tls import TlsFiles

__all__ = ["RENEW", "ending", "is_of_the_login", "keep_renewed"]

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


async def keep_renewed(
    session: Session, settings: BrokerSettings, files: TlsFiles | None, quiet: Callable[[], bool]
) -> None:
    """End the session, for the next one to be made, when other files can be used.

    Not before the broker has accepted a connection with them. `quiet` is true while nothing is
    under way in either direction.
    """
    thread = trio.CapacityLimiter(1)  # its own: a file system that hangs holds up nothing else
    tls, said = session.tls, None
    if tls is None or files is None:
        return
    try_at = warn_at = 0.0
    while True:
        await trio.sleep(_LOOK_EVERY)
        renewed = await trio.to_thread.run_sync(files.renewed, tls.shared, limiter=thread)
        if files.problem != said and (said := files.problem) is not None:
            log.warning(
                "the files of mqtt.tls cannot be used; the connection goes on with those before",
                error=said,
                what_to_do="put a certificate and the key that belongs to it in place",
            )
        if trio.current_time() >= warn_at:
            warn_at = trio.current_time() + _DAY
            own = await trio.to_thread.run_sync(files.ends_at, limiter=thread)
            for whose, days in ending(own, tls.peer_ends_at()):
                log.warning("a certificate ends soon", whose=whose, days=days, what_to_do=RENEW)
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


def is_of_the_login(refusal: FailureKind, settings: BrokerSettings) -> bool:
    """True where a bare connection was refused for the login that it lacks, not its certificate.

    Without a user name the certificate is the login.
    """
    return refusal in LOGIN if settings.username else refusal is FailureKind.CLIENT_ID


def ending(own: float | None, broker: float | None) -> list[tuple[str, float]]:
    """Of two ends, in seconds since the epoch: whose is near or past, and in how many days."""
    ends = (("mqtt.tls.cert", own), ("the broker's certificate", broker))
    left = ((whose, at - time.time()) for whose, at in ends if at is not None)
    return [(whose, round(each / _DAY, 1)) for whose, each in left if each < _WARN_BEFORE]
