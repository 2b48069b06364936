"""Members of one store whose ways to each other can be cut, while everybody else reaches them."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from tests.process.relay import Relay

from .servers import Members, etcdctl

__all__ = ["PartedMembers"]


class _Line(Relay):
    """The way of all others to a member: a request says which of them it is from."""

    #: Headers of those that do not get through.
    cut: tuple[bytes, ...] = ()

    def passing(self, direction: str, data: bytes) -> bytes:
        """Nothing of what those send."""
        is_cut = direction == ">" and any(each in data for each in self.cut)
        return b"" if is_cut else data


class PartedMembers(Members):
    """Each advertises a line of its own, by which the others reach it."""

    @contextmanager
    def running(self) -> Iterator["PartedMembers"]:
        """All of them, until the end."""
        with ExitStack() as stack:
            self._lines = [
                stack.enter_context(closing(_Line(each.peer_port))) for each in self._members
            ]
            for member, line in zip(self._members, self._lines, strict=True):
                member.advertised = f"http://127.0.0.1:{line.port}"
            stack.enter_context(super().running())
            yield self

    def part(self, number: int) -> None:
        """Cut this member off from the others."""
        listed = etcdctl(self[number], "member", "list") or ""
        ids = {name: member for member, _, name, *_ in map(_fields, listed.splitlines())}
        for other, line in enumerate(self._lines):
            far = [each for each in ids if (each == self[number].name) is not (other == number)]
            line.cut = tuple(f"X-Server-From: {ids[each]}\r\n".encode() for each in far)
        # Whoever comes again says who it is.
        for line in self._lines:
            line.hang_up_all()

    def heal(self) -> None:
        """Let all through."""
        for line in self._lines:
            line.cut = ()

    def led_by(self, number: int) -> None:
        """Have this member lead the others."""
        told = etcdctl(self[number], "member", "list") or ""
        ids = {name: member for member, _, name, *_ in map(_fields, told.splitlines())}
        for member in self._members:  # only the one that leads takes it
            etcdctl(member, "move-leader", ids[self[number].name], check=False)


def _fields(line: str) -> list[str]:
    return line.split(", ")
