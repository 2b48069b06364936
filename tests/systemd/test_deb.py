"""The Debian package: what is in it, and its life in a Debian of its own."""

import json
import os
import platform
import re
import tomllib
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from bridge import __version__
from bridge.config.load import load
from tests.process.conftest import site, stack  # noqa: F401 - fixtures
from tests.process.daemon import toml
from tests.process.site import MakeSite

from . import debian, machine
from .debian import said
from .machine import Machine

UNIT = "hmp-bridge.service"
INSTANCE = "hmp-bridge@second.service"
DEBIAN = debian.PROJECT / "systemd/deb"
CONFIGURATION = DEBIAN / "bridge.toml"
PYTHON = {"12": "python3.11", "13": "python3.13"}
LATER = "9.8.7"

needs_debhelper = pytest.mark.skipif(
    (_missing := debian.why_not("dh", "dpkg-architecture")) is not None, reason=str(_missing)
)


@pytest.fixture(scope="module", params=debian.releases())
def packages(
    request: pytest.FixtureRequest, packages_of: Callable[[str], dict[str, Path]]
) -> tuple[str, dict[str, Path]]:
    """A release, and its packages by architecture."""
    return request.param, packages_of(request.param)


@needs_debhelper
@pytest.mark.timeout(1800)
def test_there_is_a_package_for_each_architecture(packages: tuple[str, dict[str, Path]]) -> None:
    release, made = packages
    assert [*made] == debian.architectures()
    machines = {architecture: name for name, architecture in debian.ARCHITECTURES.items()}
    for architecture, package in made.items():
        shown = "${Version} ${Architecture}\n${Depends}\n"
        version, depends = said("dpkg-deb", "-W", f"--showformat={shown}", package).splitlines()
        assert version == f"{__version__}-1~deb{release} {architecture}"
        assert PYTHON[release] in depends.split(", ")
        listed = said("dpkg-deb", "-c", package)
        compiled = re.findall(r"/(\S+\.so)$", listed, re.MULTILINE)
        number = PYTHON[release].removeprefix("python").replace(".", "")
        assert any("pydantic_core" in name for name in compiled)
        for name in compiled:
            assert name.endswith(f".cpython-{number}-{machines[architecture]}-linux-gnu.so")


@needs_debhelper
@pytest.mark.skipif(not os.environ.get("DEBIAN_RELEASES"), reason="asked for by DEBIAN_RELEASES")
@pytest.mark.timeout(1800)
def test_two_builds_are_equal(
    packages: tuple[str, dict[str, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last byte, whatever the place, the language and the mask of files of who builds."""
    release, made = packages
    own = debian.ARCHITECTURES[platform.machine()]
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    mask = os.umask(0o077)
    try:
        [again] = debian.built(tmp_path, "--release", release, "--architecture", own)
    finally:
        os.umask(mask)
    assert sha256(again.read_bytes()).digest() == sha256(made[own].read_bytes()).digest()


@needs_debhelper
@pytest.mark.skipif(debian.why_not("lintian") is not None, reason="lintian is not installed")
@pytest.mark.timeout(1800)
def test_lintian_has_nothing_to_complain_of(packages: tuple[str, dict[str, Path]]) -> None:
    for package in packages[1].values():
        assert said("lintian", "--allow-root", "--fail-on=none", package) == ""


def test_the_configuration_that_is_installed_does_nothing_until_it_is_filled_in(
    tmp_path: Path,
) -> None:
    text = CONFIGURATION.read_text(encoding="utf-8")
    assert tomllib.loads(text) == {}
    filled_in = tmp_path / "bridge.toml"
    filled_in.write_text(
        re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE), encoding="utf-8"
    )
    configuration = load(filled_in)
    assert [*configuration.servers] == ["main"]
    assert [*configuration.rooms] == ["boardroom"]


def why_not() -> str | None:
    """Why no package can be installed here; None where it can."""
    return debian.why_not("dh", "dpkg-architecture", "debootstrap") or machine.why_not()


@pytest.mark.mqtt5
@pytest.mark.skipif((_obstacle := why_not()) is not None, reason=str(_obstacle))
@pytest.mark.timeout(1800)
def test_a_life_as_a_package(
    packages: tuple[str, dict[str, Path]],
    site: MakeSite,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Installed, filled in, upgraded while it records, removed, purged."""
    release, made = packages
    own = debian.ARCHITECTURES[platform.machine()]
    system = debian.tree(release)
    s = site(start=False, mqtt={"username": "bridge"})
    with closing(Machine(tmp_path, system)) as box:
        later = debian.raised(made[own], LATER)
        box.bring(later.parent, [made[own].name, later.name], "/packages")
        before = named_after_the_bridge(box)
        apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q")

        # Installed, it is there, and does nothing.
        box.run(*apt, "install", f"/packages/{made[own].name}", timeout=600)
        assert box.run("hmp-bridge", "--version") == f"hmp-bridge {__version__}\n"
        assert box.run("systemctl", "is-enabled", UNIT, check=False) == "disabled\n"
        assert box.show(UNIT, "ActiveState") == "inactive"
        box.run("systemctl", "start", UNIT, check=False)
        box.wait_for(UNIT, "ActiveState", "failed")
        assert box.show(UNIT, "ExecMainStatus") == "78"
        assert "servers: needs at least one table" in box.log(UNIT)

        # Filled in, it works. An instance of the template works beside it.
        box.write("/etc/hmp-bridge/bridge.toml", toml(s.tables))
        second = s.tables | {"mqtt": s.tables["mqtt"] | {"base_topic": "second"}}
        box.write("/etc/hmp-bridge/second.toml", toml(second))
        box.run("sh", "-ec", how_to_give_a_password(), give="of the bridge")
        box.run("systemctl", "enable", "--now", UNIT, INSTANCE)
        box.wait_for(UNIT, "StatusText", "broker online; 1 of 1 servers ready")
        s.panel.press("r0", "record")
        s.panel.wait_for("room/r0/state", "recording")
        s.panel.wait_until(
            lambda _: s.panel.newest("room/r0/recording_id") not in (None, "none"), "the id"
        )
        recording_id = s.panel.newest("room/r0/recording_id")
        assert compiled(box) > 100
        assert box.show(UNIT, "Type") == ("notify-reload" if int(release) >= 13 else "notify")
        box.run("systemctl", "reload", UNIT)
        started = box.show(INSTANCE, "InvocationID")

        # Upgraded while it records: the new program goes on with the same recording.
        mark = s.panel.mark()
        box.run(*apt, "install", f"/packages/{later.name}", timeout=600)
        s.panel.wait_for("bridge/state", "online", since=mark)
        box.wait_for(UNIT, "StatusText", "1 of 2 rooms recording")
        assert json.loads(s.panel.newest("bridge/info") or "")["version"] == LATER
        box.wait_for(INSTANCE, "ActiveState", "active")
        assert box.show(INSTANCE, "InvocationID") != started
        assert s.panel.newest("room/r0/recording_id") == recording_id
        assert len(s.hmp.commands("startRecording")) == len(s.hmp.recordings("RECORDING")) == 1
        assert s.hmp.commands("stopRecording") == []
        assert box.run("cat", "/etc/hmp-bridge/bridge.toml") == toml(s.tables)

        # Removed, it leaves in order; configuration, state and recording stay.
        mark = s.panel.mark()
        box.run(*apt, "remove", "hmp-bridge", timeout=600)
        s.panel.wait_for("bridge/state", "offline", since=mark)
        for unit in (UNIT, INSTANCE):
            assert box.show(unit, "ActiveState") == "inactive"
        assert len(s.hmp.recordings("RECORDING")) == 1
        box.run("test", "-e", "/etc/hmp-bridge/bridge.toml")
        box.run("test", "-d", "/var/lib/private/hmp-bridge")
        box.run("test", "!", "-e", "/opt/hmp-bridge")

        # Purged, there is nothing left.
        box.run(*apt, "purge", "hmp-bridge", timeout=600)
        assert named_after_the_bridge(box) == before
        assert s.hmp.commands("stopRecording") == []


def how_to_give_a_password() -> str:
    """What the package's README has an operator do, who types it; a check comes last."""
    text = (DEBIAN / "README.Debian").read_text(encoding="utf-8")
    return text.partition("that the service alone gets:\n\n")[2].partition("\n\n")[0]


def named_after_the_bridge(box: Machine) -> list[str]:
    """The files and folders of the machine that have the bridge's name."""
    found = box.run("find", "/", "-xdev", "-name", "*hmp-bridge*")
    return sorted(line for line in found.splitlines() if line.startswith("/"))


def compiled(box: Machine) -> int:
    """How many modules need not be compiled at a start."""
    return len(box.run("find", "/opt/hmp-bridge", "-name", "*.pyc").splitlines())
