"""May this box act? The one place that decides it, from all that a box can know (R36). Pure.

The lease says who leads, the session at the broker whom presses reach, the store what was written.
None of them tells alone: the table of R36 has a row for each case, and so has `standing_of`.
"""

from dataclasses import dataclass
from enum import Enum

__all__ = ["Facts", "Others", "Standing", "standing_of"]


class Others(Enum):
    """What the other boxes say of themselves at the broker."""

    #: None of them reaches the store, so none can have the lease.
    AWAY = "away"
    #: One of them reaches the store: it leads, or will.
    THERE = "there"
    #: They cannot be heard.
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a box knows.

    `lease`: ours, and its deadline has not come. `session`: the broker delivers to us what is for
    the bridge. `store`: it answers, and so says whose the lease is; None while it is being asked.
    """

    lease: bool
    session: bool
    store: bool | None
    others: Others = Others.UNHEARD


class Standing(Enum):
    """How a box that has led stands; whether it acts, and whether it may come for the session."""

    #: The lease is ours. What cannot be written, and nobody else can have, is said
    #: (`journal_failing`) and done all the same.
    LEADS = "leads"
    #: The lease is ours, and is another's soon where the store stays away: what is written leaves,
    #: and so does what need not be before; what cannot be written waits, and is heard of by nobody.
    WAITS = "waits"
    #: Nobody can have the lease, and presses reach us: recording comes first.
    ALONE = "alone"
    #: Nobody can have the lease, and no press reaches us: the session is asked for again.
    RETURNS = "returns"
    #: Somebody may have the lease, and that will be told: by the store, by the boxes, or by the
    #: session, which a leader takes. Until then nothing is sent, and nothing given up.
    HOLDS = "holds"
    #: Somebody has it, or will: this box begins anew, as one that stands by.
    ENDS = "ends"

    @property
    def acts(self) -> bool:
        """True where HMP may be told to change something."""
        return self in {Standing.LEADS, Standing.WAITS, Standing.ALONE}

    @property
    def may_connect(self) -> bool:
        """True where the session that all boxes share may be asked for."""
        return self.acts or self is Standing.RETURNS


def standing_of(facts: Facts) -> Standing:
    """The cell of R36's table."""
    if facts.lease:
        is_safe = facts.store or facts.others is Others.AWAY
        return Standing.LEADS if is_safe else Standing.WAITS
    if facts.store:
        return Standing.ENDS
    if facts.store is None or facts.others is Others.UNHEARD:
        return Standing.HOLDS
    if facts.others is Others.THERE:
        return Standing.HOLDS if facts.session else Standing.ENDS
    return Standing.ALONE if facts.session else Standing.RETURNS
