"""Libraries that are imported without what they would draw in."""

import importlib
import importlib.util
import sys

import pytest

from bridge.process.imports import without


def test_what_is_hidden_is_not_found_until_the_body_ends() -> None:
    assert "this" not in sys.modules
    with pytest.raises(ModuleNotFoundError), without("this"):
        importlib.import_module("this")
    assert "this" not in sys.modules
    assert importlib.util.find_spec("this") is not None


def test_what_is_there_already_stays() -> None:
    with without("sys", "json"):
        assert importlib.import_module("sys") is sys
        assert importlib.import_module("json.decoder") is not None
