"""Right parameters of every command, by the guide's names."""

from typing import Any

__all__ = ["RECORDING", "RIGHT"]

SESSION = "71edd346-2cf0-4c62-b3d3-9d457b287394"
SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"
RECORDING = "f678f415-0665-48cd-b141-1e95283469f1"
CATEGORY = "692e9ab8-d446-4bfd-b64d-e39e8e57c4c5"
STREAM = "bfdac49c-beb7-4271-8acb-de79f3fd2ddf"

#: One right set of parameters per command, in the guide's order.
RIGHT: dict[str, dict[str, Any]] = {
    "createSession": {"sessionTitle": "Test Session1"},
    "setLiveSession": {"sessionId": SESSION, "active": True},
    "deleteSession": {"sessionId": SESSION},
    "addSourceToSession": {"sessionId": SESSION, "sourceId": SOURCE},
    "removeSourceFromSession": {"sessionId": SESSION, "sourceId": SOURCE},
    "shareSessionWithUser": {"username": "viewer", "permissionId": "EDIT", "sessionId": SESSION},
    "shareSessionWithGroup": {"groupname": "G 1", "permissionId": "RECORD", "sessionId": SESSION},
    "updateSessionMetadata": {"sessionId": SESSION, "fieldName": "createdby", "value": "Test2"},
    "setSessionCategory": {"sessionId": SESSION, "categoryId": CATEGORY, "values": ["Surgery"]},
    "startRecording": {"sessionId": SESSION},
    "pauseRecording": {"recordingId": RECORDING},
    "resumeRecording": {"recordingId": RECORDING},
    "stopRecording": {"recordingId": RECORDING},
    "getRecordingStatus": {"recordingId": RECORDING},
    "shareRecordingWithUser": {"username": "c", "permissionId": SOURCE, "recordingId": RECORDING},
    "shareRecordingWithGroup": {"groupname": "g", "permissionId": "OWN", "recordingId": RECORDING},
    "updateMetadata": {"recordingId": RECORDING, "fieldName": "title", "value": ""},
    "setCategory": {"recordingId": RECORDING, "categoryId": CATEGORY, "values": ["HD", "4 K"]},
    "addHotmark": {"recordingId": RECORDING, "title": "PhaseI"},
    "startRestreamRecording": {"recordingId": RECORDING, "ip": "239.1.1.1", "port": 5000},
    "stopRestreamRecording": {"streamId": STREAM},
}
