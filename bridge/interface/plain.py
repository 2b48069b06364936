"""Plain values for documents that are written down: dicts, lists and sentences. Pure."""

from collections.abc import Mapping
from typing import Any

__all__ = ["plain", "sentence"]


def sentence(text: str) -> str:
    """The text as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:]}."


def plain(node: Any) -> Any:
    """Plain dicts and lists, nothing shared."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [plain(item) for item in node]
    return node
