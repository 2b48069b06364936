"""The right to act at an HMP: a bridge without a second box beside it has it always (R36)."""

__all__ = ["ALWAYS", "Permission"]


class Permission:
    """Asked by each link; this one never refuses, and never makes wait."""

    def to_change(self) -> bool:
        """True if a command that changes something may leave at this very moment."""
        return True

    async def to_connect(self) -> None:
        """Return once a connection is of use."""


ALWAYS = Permission()
"""Of a bridge with one box."""
