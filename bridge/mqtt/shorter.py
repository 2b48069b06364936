"""Shorter forms of a payload, for a broker that does not take it as it is. Pure."""

import json
from collections.abc import Iterator

from ..text.shortened import shortened

__all__ = ["shorter_forms"]

# Characters of a text. Ids and instants are shorter than the least of them.
_LONGEST_TEXTS = (256, 64)


def shorter_forms(payload: bytes) -> Iterator[bytes]:
    """Payloads for its place, ever shorter: its long texts cut, then nothing at all.

    JSON stays JSON with the same members. An empty payload takes a retained one away, so that no
    older value passes for the newest (R23).
    """
    length = len(payload)
    for longest in _LONGEST_TEXTS:
        shorter = _cut(payload, longest)
        if len(shorter) < length:
            length = len(shorter)
            yield shorter
    if length:
        yield b""


def _cut(payload: bytes, longest: int) -> bytes:
    text = payload.decode(errors="replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return shortened(text, longest).encode()
    cut = _cut_texts(value, longest)
    return json.dumps(cut, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _cut_texts(value: object, longest: int) -> object:
    match value:
        case str():
            return shortened(value, longest)
        case list():
            return [_cut_texts(each, longest) for each in value]
        case dict():
            return {key: _cut_texts(each, longest) for key, each in value.items()}
        case _:
            return value
