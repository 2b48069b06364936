"""What is read out of everything that was ever written to the store."""

import base64
import json

from .history import Change, History, Reign, changes_of, sent_out_of_turn

PREFIX = "hmp-bridge/hmp/*/"


def leader(revision: int, box: str = "a") -> Change:
    """A box gets the lease."""
    return Change(revision, f"{PREFIX}leader", json.dumps({"box": box, "since": revision / 10}))


def commit(revision: int, fence: int) -> Change:
    """A commit of the term with this fence."""
    return Change(revision, f"{PREFIX}commit", json.dumps({"number": 1, "fence": fence}))


def room(revision: int, **document: object) -> Change:
    """A room's document."""
    entry = json.dumps({"document": json.dumps(document), "boot": 1.0})
    return Change(revision, f"{PREFIX}room/one", entry)


def gone(revision: int, key: str) -> Change:
    return Change(revision, PREFIX + key)


def history(*changes: Change) -> History:
    """All of them gone through."""
    made = History(PREFIX)
    for each in changes:
        made.take(each)
    return made


def test_changes_are_read_from_a_line_of_etcdctl() -> None:
    key, value = (base64.b64encode(each).decode() for each in (b"p/one", b"two"))
    events = [
        {"kv": {"key": key, "create_revision": 2, "mod_revision": 2, "value": value}},
        {"type": 1, "kv": {"key": key, "mod_revision": 3}},
    ]
    line = json.dumps({"Header": {"revision": 3}, "Events": events})
    assert [*changes_of(line)] == [Change(2, "p/one", "two"), Change(3, "p/one")]


def test_documents_are_what_was_written_last() -> None:
    made = History(PREFIX)
    assert made.take(room(2, target="idle")) == ("one", {"target": "idle"})
    made.take(room(3, target="recording"))
    assert made.documents == {"one": {"target": "recording"}}
    made.take(gone(4, "room/one"))
    assert made.documents == {}


def test_commits_of_the_box_that_leads_are_in_turn() -> None:
    made = history(leader(2), commit(3, 2), gone(4, "leader"), leader(5, "b"), commit(6, 5))
    assert made.violations == []
    assert made.reigns == [Reign(0.2, "a", 2), Reign(0.5, "b", 5)]


def test_a_commit_without_the_lease_is_found() -> None:
    """Where nobody leads, and where another one does, which has not written yet."""
    nobody = history(leader(2), commit(3, 2), gone(4, "leader"), commit(5, 2))
    other = history(leader(2), gone(3, "leader"), leader(4, "b"), commit(5, 2), commit(6, 4))
    assert nobody.violations == ["revision 5: a commit of the term 2, the lease was of nobody"]
    assert other.violations == ["revision 5: a commit of the term 2, the lease was of 4"]


def test_what_a_box_sends_long_after_another_leads_is_found() -> None:
    reigns = [Reign(10.0, "a"), Reign(20.0, "b"), Reign(30.0, "a")]
    sent = [
        (at, "startRecording")
        for at in (
            5.0,  # before anybody led: what came before the history is not judged
            15.0,
            20.9,  # it may have been on its way
            25.0,
            30.1,
        )
    ]
    assert [*sent_out_of_turn(reigns, "a", sent)] == [
        "a has sent startRecording 5.00 s after b had the lease"
    ]
    assert [*sent_out_of_turn(reigns, "b", [(25.0, "stopRecording")])] == []
