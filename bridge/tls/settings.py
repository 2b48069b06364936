"""Which files TLS takes, by their paths."""

from dataclasses import dataclass

__all__ = ["TlsSettings"]


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Paths of PEM files; `ca` of none means the system's certificate authorities.

    `insecure` accepts any certificate for any name, and is for a bench only.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False
