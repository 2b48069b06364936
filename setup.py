"""The build of the wheel, beside what pyproject.toml says.

Into it go the files that `hmp-bridge unit` and `example-config` print, under ``bridge/shipped``,
and a list of what an installation is made of, a software bill of materials (PEP 770). Two builds of
one source are equal to the byte where ``SOURCE_DATE_EPOCH`` is set, whatever the folder and umask.
"""

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SHIPPED = {
    "config": ["**/*.toml", "**/*.json", "**/*.yaml", "mosquitto/*", "cluster/*"],
    "systemd": ["**/*.service", "**/*.conf"],
}
"""The folders of which files are shipped, and which. Readers and tests find them where they are."""


class BuildWithFiles(build_py):
    """As setuptools does it, and the shipped files beside the modules."""

    def run(self) -> None:
        """Copy everything; an editable installation finds the files where they are."""
        super().run()
        if self.editable_mode:
            return
        shipped = Path(self.build_lib, "bridge", "shipped")
        shutil.rmtree(shipped, ignore_errors=True)
        for folder, patterns in SHIPPED.items():
            for pattern in patterns:
                for file in (ROOT / folder).glob(pattern):
                    target = shipped / file.relative_to(ROOT)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)


class WheelWithMaterials(bdist_wheel):
    """As setuptools does it, with the bill of materials, and rights that are alike everywhere."""

    def egg2dist(self, egginfo_path: str, distinfo_path: str) -> None:
        """Make the folder of metadata."""
        super().egg2dist(egginfo_path, distinfo_path)
        bill = Path(distinfo_path, "sboms", "hmp-bridge.cdx.json")
        bill.parent.mkdir()
        bill.write_text(json.dumps(materials(), indent=2) + "\n", encoding="utf-8")

    def write_wheelfile(self, wheelfile_base: str, **settings: Any) -> None:
        """Make the file about the wheel itself: the last one before everything is packed."""
        super().write_wheelfile(wheelfile_base, **settings)
        for path in Path(self.bdist_dir).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


def materials() -> dict[str, Any]:
    """The CycloneDX document: this project, and the packages that its installation pins."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = (ROOT / "bridge/__init__.py").read_text(encoding="utf-8")
    [version] = re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    pinned = (ROOT / "systemd/requirements.txt").read_text(encoding="utf-8")
    # What has a marker is for other systems.
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", pinned, re.MULTILINE))
    direct = [re.split(r"[<>=\[]", each)[0] for each in project["dependencies"]]
    packages = [_package(name, pins[name]) for name in pins]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": _package(project["name"], version)
            | {"type": "application", "licenses": [{"license": {"id": project["license"]}}]},
        },
        "components": packages,
        "dependencies": [
            {
                "ref": _reference(project["name"], version),
                "dependsOn": [_reference(name, pins[name]) for name in direct],
            }
        ],
    }


def _package(name: str, version: str) -> dict[str, Any]:
    reference = _reference(name, version)
    return {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
    }


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


setup(cmdclass={"build_py": BuildWithFiles, "bdist_wheel": WheelWithMaterials})
