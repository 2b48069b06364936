"""The configuration: what can be set, what it may be, and where it comes from.

What it hands out are the plain settings of the parts (`LinkSettings`, `BrokerSettings`, `Policy`).

Order of precedence: command line, environment (``HMP_BRIDGE_MQTT__HOST``), secrets directory (a
file ``mqtt__password``; under systemd its credentials), configuration file.
"""

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from .api.checks import ServerRules
from .config_consistency import faults_between
from .config_errors import ConfigurationError, Fault, faults_of
from .config_sources import PREFIX, misnamed_sources
from .config_values import (
    Address,
    BaseTopic,
    Commands,
    Duration,
    Host,
    MarkTitle,
    Name,
    Port,
    Session,
    Sources,
    Word,
)
from .hmp import arguments
from .hmp.commands import SessionId, SourceId
from .hmp.link import LinkSettings
from .mqtt.settings import BrokerSettings, TlsSettings
from .room.state import Policy
from .room.vocabulary import State

__all__ = ["Configuration", "RoomTable", "ServerTable", "load"]

_LONGEST_NAME = 200
"""Characters of a room's name in the title of a session, which has a time after it."""


class Table(BaseModel):
    """A table of the file; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Tls(Table):
    """TLS to the broker; paths of PEM files."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False


class MqttTable(Table):
    """The broker."""

    host: Host = "localhost"
    port: Port | None = None
    username: str | None = None
    password: SecretStr | None = None
    client_id: str | None = None
    base_topic: BaseTopic = "hmp"
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    transport: Literal["tcp", "websockets"] = "tcp"
    websocket_path: str = "/mqtt"
    tls: Tls | None = None
    keepalive: Annotated[Duration, Field(ge=5, le=65535)] = 30.0
    session_expiry: Annotated[Duration, Field(ge=0, le=4294967295)] = 86400.0
    connect_timeout: Annotated[Duration, Field(gt=0)] = 10.0


class ServerTable(Table):
    """One HMP."""

    host: Host
    port: Port = 23233
    connect_timeout: Annotated[Duration, Field(gt=0)] = 5.0
    query_timeout: Annotated[Duration, Field(gt=0)] = 5.0
    command_timeout: Annotated[Duration, Field(gt=0)] = 10.0
    start_timeout: Annotated[Duration, Field(gt=0)] = 30.0
    probe_interval: Annotated[Duration, Field(ge=1)] = 30.0
    poll_interval: Annotated[Duration, Field(ge=0.1)] = 2.0
    max_polls_per_second: Annotated[float, Field(gt=0, le=1000)] = 20.0
    allow_commands: Commands = ()
    request_ttl: Annotated[Duration, Field(gt=0)] = 30.0

    def link(self, name: str) -> LinkSettings:
        """What the server link needs."""
        settings = self.model_dump(exclude={"allow_commands", "request_ttl"})
        return LinkSettings(name=name, **settings)

    def rules(self) -> ServerRules:
        """What may be asked of it by name."""
        return ServerRules(frozenset(self.allow_commands), self.request_ttl)


class TallyWords(Table):
    """The words of the topic `tally`."""

    idle: Word = "off"
    recording: Word = "red"
    paused: Word = "amber"
    changing: Word = "blink"
    fault: Word = "fault"


class RestreamTable(Table):
    """Where a re-stream is sent to."""

    ip: Address
    port: Port


class RoomTable(Table):
    """One room."""

    name: str | None = None
    server: str
    session: Session | None = None
    sources: Sources | None = None
    delete_session: bool = False
    restream: RestreamTable | None = None
    action_ttl: Annotated[Duration, Field(gt=0)] = 30.0
    mark_ttl: Annotated[Duration, Field(gt=0)] = 5.0
    mark_title: MarkTitle = "Mark"
    elapsed_every: Annotated[Duration, Field(ge=1)] = 10.0
    on_lost_start: Literal["restart", "hold"] = "restart"
    restart_within: Annotated[Duration, Field(ge=0)] = 120.0
    on_interrupted: Literal["restart", "hold"] = "restart"
    interrupt_backoff: Annotated[Duration, Field(ge=1)] = 30.0
    tally: TallyWords = TallyWords()

    def policy(self, server: ServerTable, key: str) -> Policy:
        """What the room model needs; `key` is the table's, for a room without a name."""
        title = arguments.drop_control_characters(self.name or key).strip() or key
        return Policy(
            session=None if self.session is None else SessionId(self.session),
            sources=tuple(SourceId(source) for source in self.sources or ()),
            delete_session=self.delete_session,
            session_title=title[:_LONGEST_NAME],
            restream_ip=None if self.restream is None else self.restream.ip,
            restream_port=None if self.restream is None else self.restream.port,
            action_ttl=self.action_ttl,
            mark_ttl=self.mark_ttl,
            mark_title=self.mark_title,
            poll_interval=server.poll_interval,
            start_timeout=server.start_timeout,
            elapsed_every=self.elapsed_every,
            restart_lost_start=self.on_lost_start == "restart",
            restart_within=self.restart_within,
            restart_interrupted=self.on_interrupted == "restart",
            interrupt_backoff=self.interrupt_backoff,
        )

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


class BridgeTable(Table):
    """The bridge itself."""

    state_dir: Path | None = None
    health_every: Annotated[Duration, Field(ge=1)] = 30.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class Configuration(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    mqtt: MqttTable = MqttTable()
    bridge: BridgeTable = BridgeTable()
    servers: dict[Name, ServerTable]
    rooms: dict[Name, RoomTable]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' interface
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence."""
        secrets = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=os.environ.get("CREDENTIALS_DIRECTORY"),
            secrets_dir_missing="ok",
            secrets_nested_delimiter="__",
            secrets_prefix="",
        )
        toml_file = settings_cls.model_config.get("toml_file")
        file = TomlConfigSettingsSource(settings_cls, toml_file)
        return init_settings, env_settings, secrets, file

    @model_validator(mode="wrap")
    @classmethod
    def _together(cls, data: Any, handler: ValidatorFunctionWrapHandler) -> "Configuration":
        """Find what is wrong between tables in the same go as what is wrong within them."""
        faults = list(misnamed_sources(list(cls.model_fields)))
        if isinstance(data, Mapping):
            faults += faults_between(data)
        try:
            configuration: Configuration = handler(data)
        except ValidationError as error:
            raise ConfigurationError([*faults_of(error), *faults]) from None
        if faults:
            raise ConfigurationError(faults)
        return configuration

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with the configuration; secrets are left out."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def broker(self, client_id: str) -> BrokerSettings:
        """What the broker link needs; `client_id` is for when none is configured."""
        mqtt = self.mqtt
        default_port = {
            ("tcp", False): 1883,
            ("tcp", True): 8883,
            ("websockets", False): 8080,
            ("websockets", True): 8081,
        }[mqtt.transport, mqtt.tls is not None]
        return BrokerSettings(
            host=mqtt.host,
            port=mqtt.port or default_port,
            client_id=mqtt.client_id or client_id,
            username=mqtt.username,
            password=None if mqtt.password is None else mqtt.password.get_secret_value(),
            protocol=mqtt.protocol,
            transport=mqtt.transport,
            websocket_path=mqtt.websocket_path,
            tls=None if mqtt.tls is None else TlsSettings(**mqtt.tls.model_dump()),
            keepalive=int(mqtt.keepalive),
            session_expiry=int(mqtt.session_expiry),
            connect_timeout=mqtt.connect_timeout,
        )


def load(path: Path, overrides: Mapping[str, Any] | None = None) -> Configuration:
    """Read the configuration from `path` and everything that goes before it.

    `overrides` are nested tables from the command line. Raises `ConfigurationError` with every
    fault at once.
    """

    class FromFile(Configuration):
        model_config = SettingsConfigDict(toml_file=path)

    given = overrides or {}
    try:
        return FromFile(**given)
    except ConfigurationError as error:
        raise error.seen_from(path, given) from None
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text, from byte {error.start} on; save it as UTF-8"
        raise ConfigurationError([Fault((), reason)], path) from None
    except SettingsError as error:
        # The only thing in a source that is more than text: a whole table in one variable.
        faults = list(_unreadable_variables()) or [Fault((), str(error))]
        raise ConfigurationError(faults, path) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Fault((), f"is not TOML: {error}")], path) from None
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; let this user read it"
        source = path if error.filename is None else Path(error.filename)
        raise ConfigurationError([Fault((), reason)], source) from None
    except ValueError as error:
        raise ConfigurationError([Fault((), str(error))], path) from None


def _unreadable_variables() -> Iterator[Fault]:
    for name, value in os.environ.items():
        table = name.upper().removeprefix(PREFIX).lower()
        if table in Configuration.model_fields and name.upper() != table.upper():
            try:
                json.loads(value)
            except ValueError:
                example = f"{PREFIX}{table.upper()}__KEY"
                yield Fault((table,), f"is no JSON object; set one key by {example}=value")
