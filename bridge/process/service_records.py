"""Service records of the name service (RFC 2782): the hosts and ports that offer a service.

Needs dnspython, which the extra `srv` brings.
"""

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

__all__ = ["service_addresses"]

_PATIENCE = 4.0
"""Seconds that the name service is given, as for addresses."""


async def service_addresses(name: str, resolver: "Resolver | None" = None) -> list[tuple[str, int]]:
    """Host and port of every record of `name`, such as ``_mqtt._tcp.example.edu``.

    The lowest priority comes first; among equals chance decides, by their weights. Without a
    `resolver` that of the system's configuration is asked. Raises `OSError` where there is none.
    """
    import dns.asyncresolver
    from dns.exception import DNSException

    try:
        asked = resolver or dns.asyncresolver.Resolver()
        answer = await asked.resolve(name, "SRV", lifetime=_PATIENCE)
    except DNSException as error:
        raise OSError(f"the name {name} has no service record: {error}") from error
    records = [(record.priority, _drawn(record.weight), record) for record in answer]
    records.sort(key=lambda each: each[:2])
    return [(str(each.target).rstrip("."), each.port) for _, _, each in records]


def _drawn(weight: int) -> float:
    """A number by which the smallest is first with a chance in proportion to its weight."""
    return random.expovariate(weight or 0.01)
