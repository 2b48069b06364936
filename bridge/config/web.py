"""The table `[web]`: the rooms' pages, and who may open them."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr, WithJsonSchema

from .key_types import HOME_EXPANDED, Hosts, Listen, Table

__all__ = ["Secret", "WebTable"]

_PATTERN = r"[!-~]{8,200}"


def _secret(value: SecretStr) -> SecretStr:
    """It travels in headers and links: what is more than letters would come in two spellings."""
    if re.fullmatch(_PATTERN, value.get_secret_value()) is None:
        raise ValueError(
            "is no secret of a page; write at least 8 characters without spaces or accents, such "
            "as openssl rand -hex 16 gives"
        )
    return value


Secret = Annotated[
    SecretStr,
    AfterValidator(_secret),
    WithJsonSchema({"type": "string", "writeOnly": True, "pattern": f"^{_PATTERN}$"}),
]


class WebTable(Table):
    """A page for each room, and what programs ask over HTTP."""

    listen: Listen | None = None
    """Address and port of the page; left out: none. Beyond this box only with a secret."""
    cert: Annotated[str, HOME_EXPANDED] | None = None
    """The certificate that browsers are shown, in PEM; with it the page is at https."""
    key: Annotated[str, HOME_EXPANDED] | None = None
    """The private key of `cert`; left out: it is in the same file."""
    hosts: Hosts = ()
    """The names by which browsers may call this box; left out: any, without a secret its own."""
    operate_secret: Secret | None = None
    """Who shows it may operate every room. Better as a secret: a file web__operate_secret."""
    look_secret: Secret | None = None
    """Who shows it may look at every room."""
