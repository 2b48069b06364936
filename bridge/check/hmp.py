"""The check of an HMP: it can be used, and has what the rooms record. Nothing is changed there.

A session is asked to give up a source that cannot exist: the answer says whether there is such a
session, and there is nothing that could be carried out (R7).
"""

import time
from collections.abc import Mapping

from ..config.room import RoomTable
from ..hmp.commands import RemoveSourceFromSession, SessionId
from ..hmp.connection import Connect, connect_tcp
from ..hmp.errors import ErrorKind, LinkDown, NotAuthorized, OutcomeUnknown, Refused, explain
from ..hmp.failures import backend_down
from ..hmp.link import LinkSettings, LinkState
from ..hmp.own_connection import OwnConnection, connected
from ..hmp.probe import ALIVE_CODES, probe
from ..room.rules.plan import NIL_SOURCE
from .report import Blame, Finding, failed, noted, passed

__all__ = ["check_server"]

_SILENT = (
    "Check that the host and port are HMP's, and that HMP is well; restart HMP if it lasts minutes."
)


async def check_server(
    settings: LinkSettings, rooms: Mapping[str, RoomTable], connect: Connect = connect_tcp
) -> list[Finding]:
    """One finding for the server and one for each of its rooms.

    Bounded by the server's own time limits: after one of them has passed nothing more is asked.
    """
    subject = f"server {settings.name}"
    found: list[Finding] = []
    try:
        async with connected(settings, connect) as connection:
            found.append(await _check_probe(subject, settings, connection))
            if found[0].blame is None:
                for name, room in rooms.items():
                    found.append(await _check_room(name, room, connection))
    except NotAuthorized as error:
        found.append(_failed(subject, "HMP does not accept commands from this box", error))
    except LinkDown as error:
        found.append(_failed(subject, error.reason, error))
    except OutcomeUnknown as error:
        said = f"connected, but {error.reason}"
        found.append(failed(subject, said, _SILENT, Blame.UNAVAILABLE))
    asked = {finding.subject for finding in found}
    unasked = [f"room {name}" for name in rooms if f"room {name}" not in asked]
    return found + [
        noted(each, f"not asked, for server {settings.name} failed") for each in unasked
    ]


def _failed(subject: str, seen: str, error: LinkDown | NotAuthorized) -> Finding:
    unauthorized = isinstance(error, NotAuthorized) or error.state is LinkState.UNAUTHORIZED
    blame = Blame.NOT_AUTHORIZED if unauthorized else Blame.UNAVAILABLE
    notes = getattr(error, "__notes__", None)
    return failed(subject, seen, " ".join(notes or [_SILENT]), blame)


async def _check_probe(subject: str, settings: LinkSettings, connection: OwnConnection) -> Finding:
    began = time.perf_counter()
    try:
        await connection.ask(probe())
    except NotAuthorized:
        raise
    except Refused as error:
        if error.backend_down:
            down = backend_down(error.code, error.message)
            return failed(subject, down.reason, down.what_to_do, Blame.UNAVAILABLE)
        if error.code not in ALIVE_CODES:
            said = f"answers a question about a recording with {error.code} {error.message}"
            return failed(subject, said, explain(error), Blame.UNAVAILABLE)
    took = (time.perf_counter() - began) * 1000
    box = "" if connection.local_address is None else f" as {connection.local_address}"
    where = f"{settings.host} port {settings.port}"
    return passed(subject, f"{where} reached and authorized{box}, answers in {took:.1f} ms")


async def _check_room(name: str, room: RoomTable, connection: OwnConnection) -> Finding:
    subject, session, ids = f"room {name}", room.session, _ids_not_asked_about(room)
    if session is None:
        return passed(subject, ids)
    ids = f"; {ids}" if ids else ""
    try:
        await connection.ask(RemoveSourceFromSession(SessionId(session), NIL_SOURCE))
    except NotAuthorized:
        raise
    except Refused as error:
        match error.kind:
            case ErrorKind.SOURCE_NOT_FOUND:
                pass
            case ErrorKind.ACTIVE_RECORDING:
                return passed(subject, f"session {session} exists and is being recorded{ids}")
            case ErrorKind.SESSION_MISSING:
                return failed(
                    subject,
                    f"HMP has no session {session}",
                    f"set rooms.{name}.session to the id of one that HMP's web pages show",
                    Blame.CONFIGURATION,
                )
            case _:
                said = f"HMP says of session {session}: {error.code} {error.message}"
                return failed(subject, said, explain(error), Blame.UNAVAILABLE)
    return passed(subject, f"session {session} exists{ids}")


def _ids_not_asked_about(room: RoomTable) -> str:
    """The line about sources and categories, which HMP has no question for."""
    categories = () if room.details is None else room.details.categories
    counted = (("source", len(room.sources or ())), ("category", len(categories)))
    kinds = " and ".join(f"{count} {kind} id(s)" for kind, count in counted if count)
    return (
        f"{kinds} well-formed; whether HMP has them shows at the first recording" if kinds else ""
    )
