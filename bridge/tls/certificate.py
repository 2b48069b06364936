"""The last moments of certificates, read from their DER (RFC 5280, 4.1); pure."""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime

__all__ = ["last_end", "not_after"]

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)

_FORMS = {0x17: "%y%m%d%H%M%S", 0x18: "%Y%m%d%H%M%S"}
"""UTCTime and GeneralizedTime, by their tag."""


def not_after(pem: bytes) -> float | None:
    """Seconds since the epoch at which the first certificate of a PEM file ends.

    None for what is none: whoever loads it says so better.
    """
    return next(_ends(pem), None)


def last_end(pem: bytes) -> float | None:
    """The same, where all of them have ended: an authority's next certificate may be there too."""
    return max((end for end in _ends(pem) if end is not None), default=None)


def _ends(pem: bytes) -> Iterator[float | None]:
    return (_end(found[1]) for found in _PEM.finditer(pem))


def _end(encoded: bytes) -> float | None:
    try:
        certificate = _children(base64.b64decode(encoded))[0][1]
        parts = _children(_children(certificate)[0][1])
        # [0] version is left out in version 1; before validity: serial, signature, issuer.
        validity = _children(parts[4 if parts[0][0] == 0xA0 else 3][1])
        tag, text = validity[1]
        end = f"{text.decode('ascii').removesuffix('Z')}+0000"
        return datetime.strptime(end, f"{_FORMS[tag]}%z").timestamp()
    except (binascii.Error, IndexError, KeyError, ValueError):
        return None


def _children(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element; raises `IndexError` where one is cut off."""
    found = []
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(data[at : at + octets], "big"), at + octets
        if at + length > len(data):
            raise IndexError("cut off")
        found.append((tag, data[at : at + length]))
        at += length
    return found
