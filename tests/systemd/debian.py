"""Debian for the tests: which release, a tree of it, and packages of the bridge for it."""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = [
    "ARCHITECTURES",
    "NAMES",
    "PROJECT",
    "architectures",
    "asked",
    "built",
    "once",
    "raised",
    "releases",
    "said",
    "tree",
    "why_not",
]

PROJECT = Path(__file__).parents[2]

NAMES = {"12": "bookworm", "13": "trixie"}
"""The releases that there are packages for."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Debian's names of the machines that there are packages for."""

_SMALL = ("--variant=minbase", "--include=dbus,python3,systemd-sysv")
"""The smallest system, and what one has that somebody would install the bridge on."""


def releases() -> list[str]:
    """The releases to try: those that ``DEBIAN_RELEASES`` names, or that of this system."""
    own = platform.freedesktop_os_release().get("VERSION_ID", "")
    return asked() or [own if own in NAMES else max(NAMES)]


def architectures() -> list[str]:
    """The architectures to build for: where releases are asked for all, or that of this machine."""
    return [*ARCHITECTURES.values()] if asked() else [ARCHITECTURES[platform.machine()]]


def asked() -> list[str]:
    """The releases that ``DEBIAN_RELEASES`` names."""
    return os.environ.get("DEBIAN_RELEASES", "").split()


def why_not(*programs: str) -> str | None:
    """The programs that are missing; None where they are all there."""
    missing = [name for name in programs if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


def tree(release: str) -> Path:
    """The root of a small system of that release, made once and kept beside other caches."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"

    def make(folder: Path) -> None:
        command = ["debootstrap", *_SMALL, NAMES[release], str(folder)]
        subprocess.run(command, stdout=sys.stdout, check=True)

    return once(Path(caches, "hmp-bridge", f"debian-{release}"), make)


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder, which `make` makes unless it is there; who else wants it then waits for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(f".{os.getpid()}")
            make(unfinished)
            unfinished.rename(folder)
    return folder


def built(folder: Path, *options: str) -> list[Path]:
    """The packages that ``systemd/build-deb`` makes."""
    command = [str(PROJECT / "systemd/build-deb"), "--output", str(folder), *options]
    environment = os.environ | {"DEBEMAIL": "somebody@hmp-bridge.org"}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


def said(*command: str | Path) -> str:
    """What a program prints; raises `CalledProcessError` when it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def raised(package: Path, version: str) -> Path:
    """The package as the one of a later release, which says that it is `version`."""
    unpacked = package.with_suffix("")
    subprocess.run(["dpkg-deb", "--raw-extract", package, unpacked], check=True)
    [module] = unpacked.glob("opt/hmp-bridge/lib/*/site-packages/bridge/__init__.py")
    for file, line in (
        (module, f'__version__ = "{version}"'),
        (unpacked / "DEBIAN/control", f"Version: {version}"),
    ):
        subprocess.run(["sed", "-i", f"s/^{line.partition(' ')[0]} .*/{line}/", file], check=True)
    later = package.with_name("later.deb")
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", unpacked, later],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return later
