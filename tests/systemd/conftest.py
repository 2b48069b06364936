"""What the tests of units and of packages share."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from . import debian


@pytest.fixture(scope="session")
def packages_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Path]]:
    """The packages of a release, by architecture, built once for all workers of a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    @cache
    def packages(release: str) -> dict[str, Path]:
        options = ["--release", release]
        for architecture in debian.architectures():
            options += ["--architecture", architecture]
        made = debian.once(
            folder / f"packages-{release}", lambda unfinished: debian.built(unfinished, *options)
        )
        files = sorted(made.glob("hmp-bridge_*.deb"))
        return {path.stem.rpartition("_")[2]: path for path in files}

    return packages
