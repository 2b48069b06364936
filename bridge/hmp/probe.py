"""The question that tells whether commands get through to HMP's recordings (E49)."""

import uuid

from .arguments import RecordingId
from .recording_commands import GetRecordingStatus

__all__ = ["ALIVE_CODES", "PROBE_PRIORITY", "probe"]

#: Goes before everything: its answer decides whether anything else may go.
PROBE_PRIORITY = -1

#: Answers that prove that the question got through: HMP has looked, and found nothing.
ALIVE_CODES = frozenset({"040001", "040002", "070003"})


def probe() -> GetRecordingStatus:
    """The question how a recording does that does not exist."""
    return GetRecordingStatus(RecordingId(str(uuid.uuid4())))
