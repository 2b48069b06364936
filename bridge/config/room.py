"""The tables `[rooms.<name>]`: what a room records, and how it behaves."""

from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import Field

from ..hmp import arguments
from ..hmp.commands import SessionId, SourceId
from ..room.facts.detail import NO_DETAILS
from ..room.facts.policy import Policy
from ..room.facts.vocabulary import State
from .details import DetailsTable
from .key_types import Address, Duration, MarkTitle, Port, Session, Sources, Table, Word
from .server import ServerTable
from .web import Secret

__all__ = ["RestreamTable", "RoomTable", "TallyWords"]

_LONGEST_NAME = 200
"""Characters of a room's name in the title of a session, which has a time after it."""


class TallyWords(Table):
    """The words of the topic `tally`."""

    idle: Word = "off"
    """Nothing is being recorded."""
    recording: Word = "red"
    """A recording is running."""
    paused: Word = "amber"
    """A recording is paused."""
    changing: Word = "blink"
    """Something is under way."""
    fault: Word = "fault"
    """HMP has a problem with the recording, or nobody knows."""


class RestreamTable(Table):
    """The address that a re-stream is sent to."""

    ip: Address
    """An IPv4 address, unicast or multicast."""
    port: Port
    """A UDP port."""


class RoomTable(Table):
    """One room."""

    name: str | None = None
    """The room's name for people; left out: the name of its table."""
    server: str
    """The HMP that records this room: the name of a table under servers."""
    session: Session | None = None
    """The session that is recorded, its id from HMP's web pages. Or use sources."""
    sources: Sources | None = None
    """One to four ids of sources; each recording gets a session of its own. Instead of session."""
    delete_session: bool = False
    """Remove a session that was made from sources once its recording has finished."""
    restream: RestreamTable | None = None
    """Where restream_start sends the last finished recording to."""
    action_ttl: Annotated[Duration, Field(gt=0)] = 30.0
    """How long a press keeps while HMP is out of reach; a stop keeps for ever."""
    mark_ttl: Annotated[Duration, Field(gt=0)] = 5.0
    """How long a HotMark keeps; set later it would mark the wrong moment."""
    mark_title: MarkTitle = "Mark"
    """The title of a HotMark that is given none."""
    elapsed_every: Annotated[Duration, Field(ge=1)] = 10.0
    """How often the recorded time is published."""
    on_lost_start: Literal["restart", "hold"] = "restart"
    """A start whose reply was lost and that cannot be proved: start once more, or hold."""
    restart_within: Annotated[Duration, Field(ge=0)] = 120.0
    """… and only while the press is no longer ago than this."""
    on_interrupted: Literal["restart", "hold"] = "restart"
    """HMP lost a running recording: start another one, or hold."""
    interrupt_backoff: Annotated[Duration, Field(ge=1)] = 30.0
    """The shortest time between two such starts."""
    on_limit: Literal["restart", "hold"] = "restart"
    """HMP ended a recording by its own maximum duration: start another one, or hold."""
    stop_grace: Annotated[Duration, Field(ge=0, le=3600)] = 0.0
    """How long a meeting's recording runs on after its end."""
    cut_timeout: Annotated[Duration, Field(ge=1)] = 15.0
    """How long the end of one meeting's recording may take before the next one takes it over."""
    max_duration: Annotated[Duration, Field(ge=10)] = 43_200.0
    """The longest recording, pauses included; no meeting is cut before its end."""
    warn_before: Annotated[Duration, Field(ge=0)] = 300.0
    """How long before its end a recording raises ending_soon."""
    extend_by: Annotated[Duration, Field(ge=1)] = 900.0
    """By how much extend moves the end where it names no minutes."""
    max_extend: Annotated[Duration, Field(ge=0)] = 14_400.0
    """How far all extends together may move the end."""
    pause_reminder: Annotated[Duration, Field(ge=0)] = 600.0
    """A pause that lasts longer raises paused_too_long; 0s: none does."""
    max_pause: Annotated[Duration, Field(ge=0)] = 0.0
    """A pause that lasts longer is ended; 0s: none is."""
    on_max_pause: Literal["resume", "stop"] = "resume"
    """How such a pause is ended: go on with the recording, or stop it."""
    pause_mark: MarkTitle | None = None
    """Title of a HotMark that is set at every pause; left out: none is."""
    resume_mark: MarkTitle | None = None
    """Title of a HotMark that is set when a pause ends; left out: none is."""
    record_all_day: bool = False
    """Record what the calendar marks as lasting all day; else its start is ignored."""
    empty_is_press: bool = False
    """An empty payload on a press topic acts; then clearing a retained press can be one."""
    details: DetailsTable | None = None
    """Recordings are given these besides: title, description, categories, shares."""
    tally: TallyWords = TallyWords()
    """The words of the topic tally."""
    operate_secret: Secret | None = None
    """Who shows it on the page may operate this room. Better as a secret of its own file."""
    look_secret: Secret | None = None
    """Who shows it on the page may look at this room."""

    def policy(self, server: ServerTable, key: str) -> Policy:
        """The policy for the room model; `key` is the table's, for a room without a name."""
        title = arguments.drop_control_characters(self.name or key).strip() or key
        settings: dict[str, Any] = {key: getattr(self, key) for key in _IN_POLICY} | {
            "session": None if self.session is None else SessionId(self.session),
            "sources": tuple(SourceId(source) for source in self.sources or ()),
            "session_title": title[:_LONGEST_NAME],
            "restream_ip": None if self.restream is None else self.restream.ip,
            "restream_port": None if self.restream is None else self.restream.port,
            "poll_interval": server.poll_interval,
            "start_timeout": server.start_timeout,
            "restart_lost_start": self.on_lost_start == "restart",
            "restart_interrupted": self.on_interrupted == "restart",
            "restart_limited": self.on_limit == "restart",
            "max_recording": server.max_recording or None,
            "pause_reminder": self.pause_reminder or None,
            "max_pause": self.max_pause or None,
            "details": NO_DETAILS
            if self.details is None
            else self.details.plan({"key": key, "name": title}),
        }
        return Policy(**settings)

    def tally_words(self) -> dict[State, str]:
        """The word of the tally light for every state."""
        words = dict.fromkeys(State, self.tally.changing)
        return words | {
            State.IDLE: self.tally.idle,
            State.RECORDING: self.tally.recording,
            State.PAUSED: self.tally.paused,
            State.ERROR: self.tally.fault,
            State.UNKNOWN: self.tally.fault,
        }


_IN_POLICY = tuple(each.name for each in fields(Policy) if each.name in RoomTable.model_fields)
"""Keys of a room that its policy has under the same name."""
