"""The image: built of the package by a real builder, on a tree of Debian as its base."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge import __version__

from . import debian

BASE = "localhost/hmp-bridge-tests-debian"
IMAGE = "localhost/hmp-bridge-tests"
STORE = ("--storage-driver=vfs", "--log-level=error")

pytestmark = [
    pytest.mark.skipif(
        (_missing := debian.why_not("buildah", "dh", "debootstrap")) is not None,
        reason=str(_missing),
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a base of its own"),
    pytest.mark.timeout(1800),
]


class Builder:
    """Buildah with a store of its own, and containers without namespaces: they need nothing."""

    def __init__(self, folder: Path) -> None:
        self._store = ("--root", str(folder / "store"), "--runroot", str(folder / "run"), *STORE)

    def __call__(self, *words: str | Path) -> str:
        done = subprocess.run(
            ["buildah", *self._store, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


@pytest.fixture(scope="module")
def builder(
    tmp_path_factory: pytest.TempPathFactory, packages_of: Callable[[str], dict[str, Path]]
) -> Iterator[Builder]:
    """A builder that has made the image."""
    [release, *_] = debian.releases()
    architecture = debian.ARCHITECTURES[platform.machine()]
    context = tmp_path_factory.mktemp("context")
    (context / "dist").mkdir()
    shutil.copy(packages_of(release)[architecture], context / "dist")
    made = Builder(tmp_path_factory.mktemp("builder"))
    empty = made("from", "scratch")
    made("add", "--quiet", empty, debian.tree(release), "/")
    made("commit", "--quiet", "--rm", empty, BASE)
    made(
        *("build", "--isolation", "chroot", "--network", "host", "--pull-never"),
        *("--build-arg", f"BASE={BASE}", "--build-arg", f"RELEASE={release}"),
        *("--file", debian.PROJECT / "systemd/Containerfile", "--tag", IMAGE, context),
    )
    yield made
    made("rm", "--all")
    made("rmi", "--all", "--force")


def test_what_the_image_says_of_itself(builder: Builder) -> None:
    said = json.loads(builder("inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
    assert said["User"] == "23233:23233"
    assert said["StopSignal"] == "SIGTERM"
    assert said["Entrypoint"] == ["hmp-bridge"]
    assert said["Cmd"] == ["run", "--config", "/etc/hmp-bridge/bridge.toml"]
    assert [*said["Volumes"]] == ["/var/lib/hmp-bridge"]


def test_the_bridge_runs_in_it_as_nobody_in_particular(builder: Builder) -> None:
    container = builder("from", IMAGE)
    run = ("run", "--isolation", "chroot", container, "--")
    assert builder(*run, "hmp-bridge", "--version") == f"hmp-bridge {__version__}"
    assert builder(*run, "id", "-u") == "23233"
    builder(*run, "sh", "-c", 'test -w "$STATE_DIRECTORY" && test ! -w /opt/hmp-bridge')
    # Compiled when it was built: no start has to.
    builder(*run, "sh", "-c", "ls /opt/hmp-bridge/lib/*/site-packages/bridge/__pycache__/*.pyc")
