"""The settings of a journal that several boxes share."""

from dataclasses import dataclass, field
from urllib.parse import quote

from ..tls.settings import TlsSettings

__all__ = ["EtcdSettings", "prefix_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdSettings:
    """Where etcd is, and what is ours in it.

    `endpoints` are URLs of its members, any of which will do. `prefix` is what every key begins
    with. `box` is the name of this box among those that share the journal. `ttl`: seconds after
    which another box may take over from one that is silent.
    """

    endpoints: tuple[str, ...]
    prefix: str
    box: str
    ttl: float = 5.0
    tls: TlsSettings | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def where(self) -> str:
        """The place of the journal, for people."""
        return f"etcd at {', '.join(self.endpoints)}, below {self.prefix}"


def prefix_of(base_topic: str, part: str) -> str:
    """What the keys of one bridge begin with: of a base topic, or of some of its servers (R38)."""
    return f"hmp-bridge/{quote(base_topic, safe='')}/{quote(part, safe=',') or '*'}/"
