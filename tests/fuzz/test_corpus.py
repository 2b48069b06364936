"""Every promise holds for what the fuzzer has found of interest; atheris is not needed for that."""

from pathlib import Path

import pytest

from .targets import TARGETS

CORPUS = Path(__file__).with_name("corpus")


def test_every_target_has_a_corpus() -> None:
    assert sorted(path.name for path in CORPUS.iterdir()) == sorted(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus(name: str) -> None:
    found = sorted((CORPUS / name).iterdir())
    assert found
    for path in found:
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_every_beginning_of_the_corpus(name: str) -> None:
    """Cut off anywhere, of which the fuzzer does as much as it comes to."""
    for path in sorted((CORPUS / name).iterdir())[:6]:
        whole = path.read_bytes()[:400]
        for end in range(0, len(whole), 11):
            TARGETS[name](whole[:end])
