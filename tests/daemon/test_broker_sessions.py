"""Which session a broker has resumed, where there are several brokers."""

from bridge.daemon.broker_sessions import BrokerSessions
from bridge.journal.instant import Instant


def at(seconds: float) -> Instant:
    return Instant("boot", seconds, seconds)


def met(
    sessions: BrokerSessions,
    address: str,
    *,
    present: bool,
    contact: Instant | None = None,
    expired: bool = False,
) -> tuple[int, bool]:
    """The number of the session, and whether it is another one than before."""
    moved = sessions.connected(address, present=present, contact=contact, expired=expired)
    return sessions.current, moved


def test_the_nodes_of_a_cluster_share_the_session() -> None:
    sessions = BrokerSessions()
    assert met(sessions, "a", present=False) == (0, False)
    assert met(sessions, "b", present=True) == (0, False)
    assert met(sessions, "c", present=True) == (0, False)
    # A cluster that has lost it has lost it everywhere.
    assert met(sessions, "a", present=False) == (0, False)
    assert met(sessions, "b", present=True) == (0, False)


def test_brokers_that_share_nothing_have_a_session_and_a_contact_each() -> None:
    sessions = BrokerSessions()
    assert met(sessions, "a", present=False) == (0, False)
    assert met(sessions, "b", present=False, contact=at(10.0)) == (1, True)
    assert sessions.contact is None
    sessions = BrokerSessions(sessions.document())
    assert met(sessions, "a", present=True, contact=at(20.0)) == (0, True)
    assert sessions.contact == at(10.0)
    assert met(sessions, "b", present=True, contact=at(30.0)) == (1, True)
    assert sessions.contact == at(20.0)
    assert met(sessions, "c", present=False, contact=at(40.0)) == (2, True)


def test_a_session_that_no_broker_would_have_kept_tells_nothing_by_its_absence() -> None:
    sessions = BrokerSessions()
    assert met(sessions, "a", present=False) == (0, False)
    assert met(sessions, "b", present=False, contact=at(10.0), expired=True) == (0, False)
    assert met(sessions, "a", present=True) == (0, False)


def test_a_journal_of_one_broker_is_that_of_the_first_one_met() -> None:
    assert met(BrokerSessions(), "a", present=True, contact=at(5.0)) == (0, False)
