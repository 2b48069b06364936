"""The table `[web]`: the rooms' pages, and who may open them."""

from typing import Annotated

from pydantic import Field, SecretStr

from .key_types import HOME_EXPANDED, Hosts, Listen, Table

__all__ = ["LEAST_SECRET", "Secret", "WebTable"]

LEAST_SECRET = 8
"""Characters that a secret has at least."""

Secret = Annotated[SecretStr, Field(min_length=LEAST_SECRET)]


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
