"""The units as systemd reads them and runs them: everything that the README says about them."""

import platform
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions
from tests.process.conftest import site, stack  # noqa: F401 - fixtures
from tests.process.daemon import toml
from tests.process.site import MakeSite

from . import debian
from .machine import Machine, why_not

PROJECT = Path(__file__).parents[2]
UNITS = PROJECT / "systemd"
UNIT = "hmp-bridge.service"
DYNAMIC_USER = (
    *("busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"),
    *("org.freedesktop.systemd1.Manager", "LookupDynamicUserByName", "s"),
)
"""Asks systemd for the number of a user that exists only while a service runs."""
CONFIGURATION = "/etc/hmp-bridge/bridge.toml"
PASSWORD = "of the bridge"

_obstacle = why_not()
needs_systemd = pytest.mark.skipif(_obstacle is not None, reason=str(_obstacle))


@pytest.fixture(params=["by hand", *debian.asked()])
def machine(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    packages_of: Callable[[str], dict[str, Path]],
) -> Iterator[Machine]:
    """A machine with the bridge: this system, or a Debian that is asked for, with its package."""
    release = None if request.param == "by hand" else request.param
    with closing(Machine(tmp_path, debian.tree(release) if release else Path("/"))) as made:
        if release:
            package = packages_of(release)[debian.ARCHITECTURES[platform.machine()]]
            made.bring(package.parent, [package.name], "/packages")
            made.run("apt-get", "install", "-y", "-q", f"/packages/{package.name}", timeout=600)
        else:
            install(made)
        yield made
        print(made.log(UNIT))  # shown by pytest beside a failure


def install(machine: Machine) -> None:
    """The bridge and its units by hand, as the README has it."""
    sources = ("bridge", "config", "systemd", "pyproject.toml", "setup.py", "README.md", "LICENSE")
    machine.bring(PROJECT, sources, "/opt/source")
    machine.run("python3", "-m", "venv", "/opt/hmp-bridge", timeout=300)
    pip = ("/opt/hmp-bridge/bin/pip", "install", "-q")
    pinned = ("--require-hashes", "-r", "/opt/source/systemd/requirements.txt")
    machine.run(*pip, *pinned, timeout=600)
    machine.run(*pip, "--no-deps", "/opt/source", timeout=300)
    for name in (UNIT, "hmp-bridge@.service"):
        target = f"/etc/systemd/system/{name}"
        machine.run("install", "-m", "644", f"/opt/source/systemd/{name}", target)
    if reload_waits(machine):
        conf = f"{UNIT}.d/notify-reload.conf"
        target = f"/etc/systemd/system/{conf}"
        machine.run("install", "-D", "-m", "644", f"/opt/source/systemd/{conf}", target)


def reload_waits(machine: Machine) -> bool:
    """Its systemd knows ``notify-reload``."""
    return int(machine.run("systemctl", "--version").split()[1]) >= 253


def give_password(machine: Machine, key: str = "LoadCredential") -> None:
    """Take the `#` away from the unit's line of that key alone, and reload systemd."""
    lines = ("-e", "s/^LoadCredential/# &/", "-e", f"s/^# {key}=/{key}=/")
    machine.run("sed", "-i", *lines, machine.show(UNIT, "FragmentPath"))
    machine.run("systemctl", "daemon-reload")


def reload_while_the_broker_is_silent(machine: Machine, broker: Broker) -> None:
    """A subscription more has to be answered first: until then `systemctl` must not return."""
    broker.freeze()
    kept = ("--property=Type=oneshot", "--remain-after-exit", "--no-block", "--unit=reload")
    machine.run("systemd-run", *kept, "systemctl", "reload", UNIT)
    machine.wait_for(UNIT, "SubState", "reload-notify")
    assert machine.show("reload.service", "ActiveState") == "activating"
    broker.thaw()
    machine.wait_for("reload.service", "ActiveState", "active")
    assert machine.show(UNIT, "SubState") == "running"


@needs_systemd
@pytest.mark.mqtt5
@pytest.mark.timeout(900)
def test_a_life_under_systemd(site: MakeSite, launch: Launch, machine: Machine) -> None:  # noqa: F811
    """Start, credential, restart, reload, watchdog, a broken configuration, stop."""
    guarded = launch(BrokerOptions(users={"bridge": PASSWORD}, extra=("allow_anonymous true",)))
    s = site(start=False, broker=guarded, mqtt={"username": "bridge"})
    machine.write(CONFIGURATION, toml(s.tables))
    machine.run(
        *("install", "-m", "600", "/dev/stdin", "/etc/hmp-bridge/mqtt__password"), give=PASSWORD
    )
    give_password(machine)
    faults = machine.run("systemd-analyze", "verify", UNIT, "hmp-bridge@second.service")
    assert "hmp-bridge" not in faults

    # It is ready when both links are up, and the status says so.
    machine.run("systemctl", "enable", "--now", UNIT)
    machine.wait_for(UNIT, "StatusText", "broker online; 1 of 1 servers ready; 0 of 2 rooms")
    assert machine.show(UNIT, "ActiveState") == "active"
    s.panel.wait_for("room/r0/availability", "online")
    user = machine.run("stat", "--format=%u", f"/proc/{machine.show(UNIT, 'MainPID')}")
    assert machine.run(*DYNAMIC_USER, "hmp-bridge") == f"u {user}"

    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/state", "recording")
    machine.wait_for(UNIT, "StatusText", "1 of 2 rooms recording")
    recording_id = s.panel.newest("room/r0/recording_id")

    mark = s.panel.mark()
    machine.run("systemctl", "restart", UNIT)
    s.panel.wait_for("bridge/state", "offline", since=mark)
    s.panel.wait_for("bridge/state", "online", since=mark)

    waits = reload_waits(machine)
    assert machine.show(UNIT, "Type") == ("notify-reload" if waits else "notify")

    # Reload: the difference is applied, and a mistake changes nothing.
    button = {"topic": "button", "room": "r0", "do": "mark"}
    tables = s.tables | {"bindings": [button]}
    machine.write(CONFIGURATION, toml(tables))
    if waits:
        reload_while_the_broker_is_silent(machine, guarded)
    else:
        machine.run("systemctl", "reload", UNIT)
    s.panel.wait_until(lambda _: "configuration reloaded" in machine.log(UNIT), "the reload")
    machine.write(CONFIGURATION, "[")
    machine.run("systemctl", "reload", UNIT)
    s.panel.wait_until(lambda _: "reload refused" in machine.log(UNIT), "the refusal")
    machine.write(CONFIGURATION, toml(tables))
    assert machine.show(UNIT, "ActiveState") == "active"

    # A loop that does not turn is killed, and the next process goes on.
    machine.write(f"/etc/systemd/system/{UNIT}.d/quick.conf", "[Service]\nWatchdogSec=5\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT)
    machine.wait_for(UNIT, "StatusText", "broker online")
    mark = s.panel.mark()
    machine.signal(UNIT, "STOP")
    machine.wait_for(UNIT, "NRestarts", "1")
    assert "Watchdog timeout" in machine.log(UNIT)
    s.panel.wait_for("bridge/state", "online", since=mark)
    s.panel.wait_until(lambda _: not s.panel.status("r0")["stale"], "HMP asked again")
    assert s.panel.newest("room/r0/recording_id") == recording_id
    assert len(s.hmp.commands("startRecording")) == 1

    # An encrypted credential in place of the plain one.
    machine.run("systemctl", "stop", UNIT)
    machine.run("rm", "/etc/hmp-bridge/mqtt__password")
    machine.run(
        *("systemd-creds", "encrypt", "--name=mqtt__password", "-"),
        "/etc/hmp-bridge/mqtt__password.cred",
        give=PASSWORD,
    )
    give_password(machine, "LoadCredentialEncrypted")
    mark = s.panel.mark()
    machine.run("systemctl", "start", UNIT)
    s.panel.wait_for("bridge/state", "online", since=mark)

    # It leaves in order, and the recording runs on.
    mark = s.panel.mark()
    machine.run("systemctl", "stop", UNIT)
    s.panel.wait_for("bridge/state", "offline", since=mark)
    assert machine.show(UNIT, "Result") == "success"
    assert len(s.hmp.recordings("RECORDING")) == 1

    # What trying again does not mend is not tried again.
    machine.write(CONFIGURATION, "[rooms]")
    machine.run("systemctl", "start", UNIT, check=False)
    machine.wait_for(UNIT, "ActiveState", "failed")
    assert machine.show(UNIT, "ExecMainStatus") == "78"

    # While something is out of reach it is ready after a while, and says what is missing.
    s.hmp.kill()
    machine.write(CONFIGURATION, toml(tables))
    machine.run("systemctl", "start", UNIT)
    machine.wait_for(UNIT, "StatusText", "broker online; 0 of 1 servers ready (main refused)")

    # A second one beside it, by the template.
    machine.write("/etc/hmp-bridge/second.toml", toml(tables | {"mqtt": {"base_topic": "second"}}))
    machine.run("systemctl", "start", "--no-block", "hmp-bridge@second.service")
    machine.wait_for("hmp-bridge@second.service", "StatusText", "servers ready (main refused)")
    assert "Traceback" not in machine.log(UNIT)


def test_the_template_is_the_unit_with_a_name() -> None:
    template = (UNITS / "hmp-bridge@.service").read_text(encoding="utf-8")
    for ours, alone in (
        ("hmp-bridge %i:", "hmp-bridge:"),
        ("/%i.toml", "/bridge.toml"),
        ("/%i.mqtt__password", "/mqtt__password"),
        ("=hmp-bridge-%i", "=hmp-bridge"),
        ("hmp-bridge@.service.d", "hmp-bridge.service.d"),
    ):
        assert ours in template
        template = template.replace(ours, alone)
    assert template == (UNITS / UNIT).read_text(encoding="utf-8")


@needs_systemd
@pytest.mark.parametrize("name", [UNIT, "hmp-bridge@.service"])
def test_the_exposure(name: str) -> None:
    """Of what systemd can take from a service, little is left: 1.3 of 10 at most."""
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=13", str(UNITS / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout
