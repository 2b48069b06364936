"""The real Home Assistant, headless, in a folder of its own, asked through its APIs.

With everything that `config/homeassistant` has for it, for the room `r0`.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tests.brokers import free_port
from tests.process.programs import Program

from .ear import Ear, asked
from .expected import Entity

__all__ = ["CALENDAR", "DASHBOARD", "PATIENCE", "HomeAssistant", "programs"]

PATIENCE = 180.0
"""Seconds that something may take in a program of this size, which installs what it needs."""

R = TypeVar("R")

#: The newest release for each Python that one runs on, newest first.
_RELEASES = {"python3.14": "2026.11.0", "python3.13": "2025.4.4"}

_CONFIGURATION = """\
http:
  server_host: 127.0.0.1
  server_port: {port}
config:
history:
automation: !include automations.yaml
lovelace:
  dashboards:
    {dashboard}:
      mode: yaml
      title: Recording
      filename: dashboard.yaml
recorder:
  commit_interval: 0
logger:
  default: warning
"""


DASHBOARD = "hmp-recording"
"""What the dashboard is called in addresses, which wants a hyphen."""

CALENDAR = "calendar.boardroom"

_SHIPPED = Path(__file__).parents[2] / "config/homeassistant"

_AUTOMATIONS = """\
- id: alarms
  alias: Alarms
  use_blueprint:
    path: hmp-bridge/tell_me_about_alarms.yaml
    input: {{ alarms: [sensor.r0_alarm] }}
- id: calendar
  alias: Calendar
  initial_state: false
  use_blueprint:
    path: hmp-bridge/record_with_a_calendar.yaml
    input: {{ calendar: {calendar}, room: r0, base_topic: {base} }}
"""
"""Both blueprints in use; the calendar's is off until there is a calendar."""


def programs() -> dict[str, str]:
    """Programs `hass` by name: those in $HASS_PROGRAMS, or made of what PyPI has; empty if none."""
    given = os.environ.get("HASS_PROGRAMS")
    if given:
        return {Path(each).name: each for each in given.split(os.pathsep)}
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hmp-bridge"
    found = {}
    for python, release in _RELEASES.items():
        folder = cache / f"homeassistant-{release}"
        if (folder / "bin/hass").exists():
            found[release] = str(folder / "bin/hass")
        elif os.environ.get("HASS_INSTALL") and _runs(python):
            subprocess.run([python, "-m", "venv", str(folder)], check=True)
            pip = [str(folder / "bin/pip"), "install", "-q", f"homeassistant=={release}"]
            subprocess.run(pip, check=True)
            found[release] = str(folder / "bin/hass")
    return found


def _runs(python: str) -> bool:
    """Whether it is there, and no name that only stands for one that may be chosen."""
    if shutil.which(python) is None:
        return False
    return subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0


class HomeAssistant:
    """One installation, to be started and stopped; `hass` is its program.

    `base` is the bridge's base topic.
    """

    def __init__(self, hass: str, folder: Path, broker_port: int, base: str) -> None:
        self.folder = folder
        self._hass = hass
        self._broker_port = broker_port
        self._url = f"http://127.0.0.1:{(port := free_port())}"
        self._token: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        configuration = _CONFIGURATION.format(port=port, dashboard=DASHBOARD)
        (folder / "configuration.yaml").write_text(configuration)
        shutil.copytree(_SHIPPED / "blueprints", folder / "blueprints/automation/hmp-bridge")
        dashboard = (_SHIPPED / "dashboard.yaml").read_text(encoding="utf-8")
        (folder / "dashboard.yaml").write_text(dashboard.replace("boardroom", "r0"))
        automations = _AUTOMATIONS.format(calendar=CALENDAR, base=base)
        (folder / "automations.yaml").write_text(automations)
        self._program: Program | None = None

    def set_up(self) -> None:
        """Start for the first time: a user, and the MQTT integration with the broker."""
        self._launch()
        user = {"client_id": self._url, "name": "t", "username": "t", "password": "t" * 12}
        made = self._ask("POST", "/api/onboarding/users", user | {"language": "en"})
        form = {
            "grant_type": "authorization_code",
            "code": made["auth_code"],
            "client_id": self._url,
        }
        self._token = self._form("/auth/token", form)
        flow = self.post("/api/config/config_entries/flow", {"handler": "mqtt"})
        given: dict[str, Any] = {"broker": "127.0.0.1", "port": self._broker_port}
        if any(each["name"] == "other_settings" for each in flow["data_schema"]):
            given["other_settings"] = {"set_client_cert": False, "set_ca_cert": "off"}
        done = self.post(f"/api/config/config_entries/flow/{flow['flow_id']}", given)
        assert done["type"] == "create_entry", done

    def start(self) -> None:
        """Start again, and wait until the API answers."""
        self._launch()
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._token["refresh_token"],
            "client_id": self._url,
        }
        self._token |= self._form("/auth/token", form)

    def stop(self) -> None:
        """End it in good order."""
        assert self._program is not None
        self._program.process.terminate()
        self._program.wait(PATIENCE)
        self._program.close()
        self._program = None

    def close(self) -> None:
        """End it if it runs."""
        if self._program is not None:
            self._program.close()

    @property
    def log(self) -> str:
        """Warnings and errors, of all its runs."""
        return "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(self.folder.glob("home-assistant.log*"))
            if not path.name.endswith(".fault")
        )

    def complaints(self) -> list[str]:
        """Lines of its log that are about MQTT, and so about us."""
        words = ("mqtt", "hmp", "discovery", "template", "blueprint", "automation", "lovelace")
        lines = [line for line in self.log.splitlines() if " WARNING " in line or " ERROR " in line]
        # The broker was stopped.
        lost = (
            "Error returned from MQTT server:",
            "Failed to connect to MQTT server due to exception:",
            "[paho.mqtt.client] failed to receive on socket",
        )
        about = [line for line in lines if any(word in line.lower() for word in words)]
        return [line for line in about if not any(word in line for word in lost)]

    # Asking.

    def post(self, path: str, value: Mapping[str, Any]) -> Any:
        """Its answer to a request."""
        return self._ask("POST", path, value)

    def command(self, kind: str, **fields: Any) -> Any:
        """The result of a command of its websocket API."""
        return asked(self._url, self._token["access_token"], kind, **fields)

    def listen(self) -> Ear:
        """Hear every change of a state from here on."""
        return Ear(self._url, self._token["access_token"])

    def add_calendar(self) -> None:
        """Have the calendar, empty."""
        flow = self.post("/api/config/config_entries/flow", {"handler": "local_calendar"})
        given = {"calendar_name": CALENDAR.partition(".")[2], "import": "create_empty"}
        done = self.post(f"/api/config/config_entries/flow/{flow['flow_id']}", given)
        assert done["type"] == "create_entry", done

    def call(self, service: str, entity_id: str, **data: Any) -> None:
        """Call a service of an entity, as somebody does who clicks."""
        self.post(f"/api/services/{service.replace('.', '/')}", {"entity_id": entity_id, **data})

    def states(self) -> dict[str, dict[str, Any]]:
        """Every entity by its id."""
        return {each["entity_id"]: each for each in self._ask("GET", "/api/states")}

    def ours(self) -> list[str]:
        """The entities of its MQTT integration in its registry, loaded or not, enabled or not."""
        registry = self.command("config/entity_registry/list")
        return sorted(each["entity_id"] for each in registry if each["platform"] == "mqtt")

    def entity(self, entity_id: str) -> Entity:
        """As its registry has it."""
        entry = self.command("config/entity_registry/get", entity_id=entity_id)
        shown = self.states().get(entity_id)
        assert (shown is None) == (entry["disabled_by"] is not None), entity_id
        unit = (shown or {}).get("attributes", {}).get("unit_of_measurement")
        category, device_class = entry["entity_category"], entry["original_device_class"]
        return Entity(device_class, unit, category, enabled=shown is not None)

    def devices(self) -> list[str]:
        """What names the devices of its MQTT integration in its registry."""
        registry = self.command("config/device_registry/list")
        return sorted(
            name for each in registry for kind, name in each["identifiers"] if kind == "mqtt"
        )

    def wait_for(self, entity_id: str, state: str) -> dict[str, Any]:
        """The entity, once it has that state."""

        def look() -> dict[str, Any] | None:
            found = self.states().get(entity_id)
            return found if found is not None and found["state"] == state else None

        return self.until(look, f"{entity_id} {state}")

    def until(self, look: Callable[[], R | None], wanted: str) -> R:
        """What `look` finds as soon as it finds something."""
        deadline = time.monotonic() + PATIENCE
        while (found := look()) is None:
            if time.monotonic() > deadline:
                shown = {key: each["state"] for key, each in self.states().items()}
                raise AssertionError(f"not seen: {wanted}; {shown}; {self.log[-4000:]}")
            time.sleep(0.2)  # its REST API tells nothing by itself
        return found

    def _launch(self) -> None:
        self._program = Program([self._hass, "-c", str(self.folder)])
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{self._url}/manifest.json", timeout=5).close()  # noqa: S310
            except urllib.error.HTTPError as error:
                error.close()
                return
            except OSError:
                assert time.monotonic() < deadline, self._program.output
                assert self._program.process.poll() is None, self._program.output
                time.sleep(0.2)
            else:
                return

    def _form(self, path: str, form: Mapping[str, str]) -> dict[str, str]:
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{self._url}{path}", data, timeout=PATIENCE) as answer:  # noqa: S310
            token: dict[str, str] = json.load(answer)
            return token

    def _ask(
        self, method: str, path: str, value: Mapping[str, Any] | None = None, *, raw: bool = False
    ) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token['access_token']}"
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{self._url}{path}", data, headers, method=method
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                    text = answer.read().decode()
                    return text if raw else json.loads(text)
            except urllib.error.HTTPError as error:
                if error.code != 404 or time.monotonic() > deadline:
                    raise AssertionError(f"{path}: {error.code} {error.read()!r}") from None
                time.sleep(0.2)  # the component has yet to be set up
