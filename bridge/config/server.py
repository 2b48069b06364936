"""The tables `[servers.<name>]`: where an HMP is, and how it is talked to."""

from typing import Annotated

from pydantic import Field

from ..api.checks import ServerRules
from ..hmp.link import LinkSettings
from .key_types import Commands, Duration, Host, Port, Table

__all__ = ["ServerTable"]


class ServerTable(Table):
    """One HMP."""

    host: Host
    """Name or address of this HMP."""
    port: Port = 23233
    """The port of HMP's Command Line API."""
    connect_timeout: Annotated[Duration, Field(gt=0)] = 5.0
    """How long a connection may take to be made."""
    query_timeout: Annotated[Duration, Field(gt=0)] = 5.0
    """How long HMP may take to answer getRecordingStatus."""
    command_timeout: Annotated[Duration, Field(gt=0)] = 10.0
    """How long HMP may take for what changes something."""
    start_timeout: Annotated[Duration, Field(gt=0)] = 30.0
    """How long HMP may take to start or stop, and how long a lost start is asked about."""
    probe_interval: Annotated[Duration, Field(ge=1)] = 30.0
    """Silence after which HMP is asked whether it still lives."""
    poll_interval: Annotated[Duration, Field(ge=0.1)] = 2.0
    """How often an active recording is looked at."""
    max_polls_per_second: Annotated[float, Field(gt=0, le=1000)] = 20.0
    """The most looks that this HMP gets in all; more rooms are looked at less often."""
    max_recording: Annotated[Duration, Field(ge=0)] = 0.0
    """HMP's own maximum recording duration, as in its settings; 0s: not known, or none."""
    allow_commands: Commands = ()
    """The commands that may be asked for by name over MQTT; "*" for all."""
    request_ttl: Annotated[Duration, Field(gt=0)] = 30.0
    """How long such a request waits while HMP is out of reach."""

    def link(self, name: str) -> LinkSettings:
        """The settings of the server link."""
        settings = self.model_dump(exclude={"allow_commands", "max_recording", "request_ttl"})
        return LinkSettings(name=name, **settings)

    def rules(self) -> ServerRules:
        """The rules for what may be asked of it by name."""
        return ServerRules(frozenset(self.allow_commands), self.request_ttl)
