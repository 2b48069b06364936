"""What the tests of units and of packages share."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from . import debian


@pytest.fixture(scope="session")
def packages_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Path]]:
    """The packages of a release, by architecture, built once."""

    @cache
    def packages(release: str) -> dict[str, Path]:
        options = ["--release", release]
        for architecture in debian.architectures():
            options += ["--architecture", architecture]
        made = debian.built(tmp_path_factory.mktemp("packages"), *options)
        return {path.stem.rpartition("_")[2]: path for path in made}

    return packages
