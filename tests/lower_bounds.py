"""The lowest release of every dependency that pyproject.toml allows, as constraints for pip.

``python -m tests.lower_bounds > constraints.txt``: what installs and passes with these is what may
be promised.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["lower_bounds"]

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def lower_bounds(project: Path = PROJECT) -> Iterator[str]:
    """``name==release`` for every requirement; raises ValueError for one without a lower bound."""
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = table["optional-dependencies"]
    required = [*table["dependencies"]]
    for extra in extras.keys() - {
        "bench",
        "brokers",
        "fuzz",
        "mutation",
        "test",
    }:  # what runs the tests may be as it comes
        required += extras[extra]
    for requirement in required:
        if requirement.startswith(f"{table['name']}["):
            continue  # extras of our own
        bound = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*])?>=([0-9.]+)", requirement)
        if bound is None:
            raise ValueError(f"{requirement}: has no lower bound; begin it with name>=release")
        yield f"{bound[1]}=={bound[2]}"


if __name__ == "__main__":
    print(*lower_bounds(), sep="\n")
