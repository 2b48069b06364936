"""What a release is made of: the wheel and the source archive, looked into."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from bridge import __version__
from bridge.cli.shipped import configuration_files, unit_files

ROOT = Path(__file__).parent.parent
NAME = f"hmp_bridge-{__version__}"
BUILD = "from setuptools import build_meta as b; b.build_wheel('out'); b.build_sdist('out')"


def tracked() -> list[str]:
    """The files of the repository."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a git checkout")
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def built(folder: Path, umask: int) -> Path:
    """The folder with the wheel and the source archive, built of a copy below `folder`."""
    for name in tracked():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy)
    subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=folder,
        umask=umask,
        env=os.environ | {"SOURCE_DATE_EPOCH": "1800000000"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return folder / "out"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("release"), 0o022)


@pytest.fixture(scope="module")
def wheel(release: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(release / f"{NAME}-py3-none-any.whl")


def test_the_wheel_has_all_that_an_installation_needs_and_no_more(wheel: zipfile.ZipFile) -> None:
    package = {name for name in tracked() if name.startswith("bridge/")}
    assert {"bridge/py.typed", "bridge/simulator/world.toml"} < package
    shipped = {f"bridge/shipped/config/{name}" for name in configuration_files()}
    shipped |= {f"bridge/shipped/systemd/{name}" for name in unit_files()}
    about = ["METADATA", "WHEEL", "RECORD", "entry_points.txt", "top_level.txt"]
    about += ["licenses/LICENSE", "sboms/hmp-bridge.cdx.json"]
    assert {*wheel.namelist()} == {
        *(package | shipped),
        *(f"{NAME}.dist-info/{name}" for name in about),
    }


def test_the_commands_of_an_installation_print_what_it_brings(release: Path) -> None:
    """With the packages of this environment, and none of the files of this checkout."""
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\nfrom bridge.__main__ import main\nmain()"
    )
    site = release.parent / "site"
    [file] = release.glob("*.whl")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", file, site], check=True)
    for words, source in (
        (["unit"], "systemd/hmp-bridge.service"),
        (["example-config"], "config/bridge.toml"),
        (["example-config", "examples/zoom.toml"], "config/examples/zoom.toml"),
        (["schema"], "config/bridge.schema.json"),
    ):
        said = subprocess.run(
            [sys.executable, "-I", "-c", program, site, *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=site,
        )
        assert said.stdout == (ROOT / source).read_text(encoding="utf-8")


def test_the_source_archive_is_the_repository(release: Path) -> None:
    with tarfile.open(release / f"{NAME}.tar.gz") as archive:
        names = {each.name.partition("/")[2] for each in archive.getmembers() if each.isfile()}
    made = {name for name in names if name.startswith("hmp_bridge.egg-info/")}
    assert names - made - {"PKG-INFO", "setup.cfg"} == set(tracked())


def test_two_builds_are_equal(release: Path, tmp_path: Path) -> None:
    """In another folder, at another time, by somebody who shows their files to nobody."""
    other = built(tmp_path / "elsewhere", 0o077)
    [first] = release.glob("*.whl")
    [second] = other.glob("*.whl")
    assert sha256(first.read_bytes()).digest() == sha256(second.read_bytes()).digest()


def test_the_bill_of_materials_names_every_pin(wheel: zipfile.ZipFile) -> None:
    bill = json.loads(wheel.read(f"{NAME}.dist-info/sboms/hmp-bridge.cdx.json"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/hmp-bridge@{__version__}"
    pinned = (ROOT / "systemd/requirements.txt").read_text(encoding="utf-8")
    pins = {
        f"pkg:pypi/{n}@{v}" for n, v in re.findall(r"^([\w-]+)==(\S+) \\$", pinned, re.MULTILINE)
    }
    assert {each["purl"] for each in bill["components"]} == pins
    [depends] = bill["dependencies"]
    assert depends["ref"] == bill["metadata"]["component"]["bom-ref"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = project.partition("\ndependencies = [")[2].partition("\n]")[0]
    direct = re.findall(r'^    "([\w-]+)', listed, re.MULTILINE)
    assert [ref.partition("/")[2].partition("@")[0] for ref in depends["dependsOn"]] == direct
    assert set(depends["dependsOn"]) <= pins
