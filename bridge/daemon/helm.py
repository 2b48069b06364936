"""Whether this box may act: alone it always may; of several it may as `standing` says (R36).

Asked by the links before they connect, and immediately before anything leaves that changes
something; told by them whether presses reach this box.
"""

from collections.abc import Mapping

from ..api.bridge_requests import HandOver
from ..hmp.permission import Permission
from ..mqtt.broker_health import BrokerState

__all__ = ["ALONE", "Helm"]


class Helm(Permission):
    """That of a bridge with one box: never refuses, and nothing waits for it."""

    holds = False
    """True while what is to be written waits until it is known who leads."""

    hand_over: HandOver | None = None
    """None where there is nobody to leave to."""

    @property
    def due_at(self) -> Mapping[str, float]:
        """When each of its loops goes on by itself at the latest (`Progress`)."""
        return {}

    async def to_take_session(self) -> None:
        """Return once the session at the broker may be asked for."""

    def broker_changed(self, state: BrokerState) -> None:
        """The link to the broker stands otherwise."""


ALONE = Helm()
"""Of a bridge with one box."""
