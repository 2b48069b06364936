"""The configuration: what can be set, what it may be, and which source goes before which.

What it hands out are the plain settings of the parts (`LinkSettings`, `BrokerSettings`, `Policy`).

Order of precedence: command line, environment (``HMP_BRIDGE_MQTT__HOST``), secrets directory (a
file ``mqtt__password``; under systemd its credentials), configuration file.
"""

import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
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
    TomlConfigSettingsSource,
)

from ..cluster.settings import EtcdSettings, prefix_of
from ..logs.levels import Format, Level, Part
from ..logs.redaction import SECRETS
from ..mqtt.settings import BrokerSettings
from ..mqtt.topics import Topics
from .bindings import BindingTable
from .blame import PREFIX
from .consistency import faults_between
from .errors import ConfigurationError
from .files import faults_in_files
from .findings import faults_of
from .homeassistant import HomeAssistantTable
from .journal import JournalTable
from .key_types import HOME_EXPANDED, Duration, Listen, Name, Table, names
from .mqtt import MqttTable
from .room import RoomTable
from .server import ServerTable
from .sources import misnamed_sources
from .web import WebTable
from .web_faults import written_secrets

__all__ = ["Configuration"]


class BridgeTable(Table):
    """The bridge itself."""

    state_dir: Annotated[Path, HOME_EXPANDED] | None = None
    """The state folder; left out: systemd's StateDirectory, else ~/.local/state/hmp-bridge."""
    servers: Annotated[tuple[Name, ...], BeforeValidator(names)] = ()
    """The servers of this bridge, with their rooms; left out: all that there are."""
    journal: JournalTable | None = None
    """etcd, for boxes that take over from one another; left out: a file in the state folder."""
    box: Name | None = None
    """The name of this box among those that share a journal; left out: the machine's."""
    health_every: Annotated[Duration, Field(ge=1)] = 30.0
    """How often bridge/health is published."""
    clock: Literal["auto", "trusted"] = "auto"
    """The box's time counts: auto, once it is synchronised; trusted, always."""
    log_level: Level = "info"
    """The least important log lines that are written."""
    log_levels: dict[Part, Level] = Field(default_factory=dict)
    """The same for parts of the bridge."""
    log_format: Format = "auto"
    """text, json, or text with colours where somebody looks on."""


class MetricsTable(Table):
    """Metrics for Prometheus, and how the bridge does for whoever supervises it."""

    listen: Listen | None = None
    """Address and port of /metrics, /health/live and /health/ready; left out: none."""


class Configuration(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

    _look_into_files: ClassVar[bool] = False

    mqtt: MqttTable = MqttTable()
    """Where the broker is, and how to reach it."""
    bridge: BridgeTable = BridgeTable()
    """Settings of the bridge itself."""
    metrics: MetricsTable = MetricsTable()
    """Metrics and health over HTTP, alone."""
    web: WebTable = WebTable()
    """Pages of the rooms over HTTP, with metrics and health."""
    homeassistant: HomeAssistantTable = HomeAssistantTable()
    """Home Assistant, where rooms and servers can appear by themselves."""
    servers: dict[Name, ServerTable]
    """One table per HMP; its name is part of topics."""
    rooms: dict[Name, RoomTable]
    """One table per room; its name is part of topics."""
    bindings: tuple[BindingTable, ...] = ()
    """Messages of other devices, translated to actions and events of rooms."""

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
        _note_secrets(data)
        faults = list(misnamed_sources(_keys_of(cls)))
        if isinstance(data, Mapping):
            faults += faults_between(data)
            faults += faults_in_files(data) if cls._look_into_files else ()
        try:
            configuration: Configuration = handler(data)
        except ValidationError as error:
            raise ConfigurationError([*faults_of(error, cls), *faults]) from None
        if faults:
            raise ConfigurationError(faults)
        for secret in _secrets_in(configuration):
            SECRETS.add(secret)
        return configuration

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with the configuration; secrets are left out."""
        text = json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def shared_digest(self) -> str:
        """The same of what is to be equal on boxes that stand in for each other."""
        bridge = self.bridge.model_copy(update={"box": None, "state_dir": None})
        return self.model_copy(update={"bridge": bridge}).digest

    @property
    def box(self) -> str:
        """The name of this box among others, as part of a topic."""
        host = re.sub(r"[^a-z0-9_-]", "-", socket.gethostname().partition(".")[0].lower())
        return self.bridge.box or host[:40] or "box"

    @property
    def room_names(self) -> dict[str, str]:
        """The names of the rooms for people, by their keys."""
        return {key: room.name or key for key, room in self.rooms.items()}

    @property
    def topics(self) -> Topics:
        """The topics of this bridge."""
        return Topics(self.mqtt.base_topic, ",".join(sorted(self.bridge.servers)))

    def share(self) -> "Configuration":
        """The servers of this bridge alone, with their rooms (R38); all where it has all."""
        ours = self.bridge.servers
        if not ours:
            return self
        servers = {name: table for name, table in self.servers.items() if name in ours}
        rooms = {name: table for name, table in self.rooms.items() if table.server in ours}
        return self.model_copy(update={"servers": servers, "rooms": rooms})

    def etcd(self, box: str) -> EtcdSettings | None:
        """The journal that the boxes share, for the one of that name; None: each has its file."""
        topics, table = self.topics, self.bridge.journal
        return None if table is None else table.settings(prefix_of(topics.base, topics.part), box)

    def broker(self, client_id: str) -> BrokerSettings:
        """The settings of the broker link; `client_id` is for when none is configured."""
        return self.mqtt.settings(client_id)


def _keys_of(configuration: type[Configuration]) -> dict[str, list[str]]:
    """The tables of the file, and the keys of those that have fixed ones."""
    return {
        table: list(getattr(field.annotation, "model_fields", ()))
        for table, field in configuration.model_fields.items()
    }


def _note_secrets(data: Any) -> None:
    """Known before anything is said of the rest: they may stand in a wrong line as well (R19)."""
    for _, secret in written_secrets(data):
        SECRETS.add(secret)


def _secrets_in(table: object) -> Iterator[str]:
    """Everything that must never be written (R19)."""
    match table:
        case SecretStr():
            yield table.get_secret_value()
        case BaseModel() | Mapping():
            for value in table.values() if isinstance(table, Mapping) else vars(table).values():
                if type(value) not in _PLAIN:
                    yield from _secrets_in(value)


_PLAIN = {str, int, float, bool, NoneType}
"""Types of most values: thirty of each room, which hold no secret."""
