"""Service records, asked of a name service that answers as it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.asyncresolver
import dns.message
import dns.rrset
import pytest
import trio

from bridge.process.service_records import service_addresses

NAME = "_mqtt._tcp.example.edu."


@asynccontextmanager
async def name_server(*records: str) -> AsyncIterator[dns.asyncresolver.Resolver]:
    """A resolver that asks a server on loopback, which knows these records of `NAME`."""
    server = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    await server.bind(("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]

    async def serve() -> None:
        while True:
            data, sender = await server.recvfrom(4096)
            answer = dns.message.make_response(dns.message.from_wire(data))
            if records:
                answer.answer.append(dns.rrset.from_text(NAME, 60, "IN", "SRV", *records))
            await server.sendto(answer.to_wire(), sender)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        yield resolver
        nursery.cancel_scope.cancel()
    server.close()


async def test_the_lowest_priority_comes_first() -> None:
    records = ("20 0 1883 c.example.edu.", "10 0 1884 b.example.edu.", "5 1 8883 a.example.edu.")
    async with name_server(*records) as resolver:
        assert await service_addresses(NAME, resolver) == [
            ("a.example.edu", 8883),
            ("b.example.edu", 1884),
            ("c.example.edu", 1883),
        ]


async def test_among_equals_weights_have_a_say() -> None:
    records = ("1 65535 1883 heavy.example.edu.", "1 0 1883 light.example.edu.")
    async with name_server(*records) as resolver:
        firsts = [(await service_addresses(NAME, resolver))[0][0] for _ in range(50)]
    assert firsts.count("heavy.example.edu") > 40


async def test_a_name_without_such_records_is_an_error_that_says_so() -> None:
    async with name_server() as resolver:
        with pytest.raises(OSError, match="has no service record"):
            await service_addresses(NAME, resolver)
