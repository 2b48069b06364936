"""World files: what they set, and how they are refused."""

import random
from pathlib import Path

import pytest

from bridge.simulator.execution import execute
from bridge.simulator.objects import RecordingState
from bridge.simulator.worldfile import WorldFileError, load_world

from .worlds import SESSION, SOURCE, Clock, example_world, world_of

OTHER = "11111111-0000-4000-8000-000000000001"


def test_the_example_is_what_the_demo_needs() -> None:
    world = example_world()
    assert world.sessions[SESSION].title == "Boardroom"
    assert world.sessions[SESSION].sources == [SOURCE]
    assert len(world.sessions["46713454-8e31-4efc-babc-6bc9b88f2834"].sources) == 2
    assert list(world.users) == ["viewer", "creator", "infodev", "newcomer"]
    assert list(world.groups) == ["viewers", "admins", "grp10", "staff"]
    assert "12b0cc54-9018-42c2-9dfb-3f7707a09829" in world.permissions
    assert "692e9ab8-d446-4bfd-b64d-e39e8e57c4c5" in world.categories
    assert world.access.permits("203.0.113.9")
    assert not world.faults


def test_a_file_sets_everything() -> None:
    world = world_of(
        f"""
        faults = ["delay:*:2"]
        [access]
        enabled = false
        allowed = ["192.0.2.1", "2001:DB8::1"]
        [knobs]
        crlf = true
        stop_takes = 2
        [[sources]]
        id = "{SOURCE.upper()}"
        address = "2001:DB8:0::7"
        port = 1
        [[sessions]]
        id = "{SESSION.upper()}"
        title = "{SESSION.upper()}"
        sources = ["{SOURCE.upper()}"]
        live = true
        [[recordings]]
        id = "{OTHER}"
        session = "{SESSION}"
        state = "PAUSED"
        recorded = 90
        """
    )
    assert world.faults.listing() == ["delay:*:2"]
    assert list(world.access.listing()) == ["192.0.2.1", "2001:db8::1"]
    assert not world.access.enabled
    assert (world.knobs.crlf, world.knobs.stop_takes) == (True, 2.0)
    assert world.sources[SOURCE].address == "2001:db8::7"
    session = world.sessions[SESSION]
    assert (session.title, session.live) == (SESSION.upper(), True)
    recording = world.recordings[OTHER]
    assert recording.state is RecordingState.PAUSED
    assert recording.recorded(Clock().time + 5) == pytest.approx(90)
    assert world.active_recordings(session) == [recording]


@pytest.mark.parametrize("state", RecordingState)
def test_recordings_in_every_state(state: RecordingState) -> None:
    world = world_of(
        f"""
        sources = [{{ id = "{SOURCE}" }}]
        sessions = [{{ id = "{SESSION}", title = "x", sources = ["{SOURCE}"] }}]
        recordings = [{{ id = "{OTHER}", session = "{SESSION}", state = "{state}" }}]
        """
    )
    assert execute(world, f"getRecordingStatus {OTHER}") == f"OK|{state}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a =", "test.toml: is not TOML: "),
        ("[[cows]]", "unknown table cows; tables are sources, sessions, "),
        ("sources = 1", "sources must be written as [[sources]]"),
        ("[sources]", "sources must be written as [[sources]]"),
        ("[[sources]]", "[[sources]] number 1: id is missing (a UUID)"),
        ("[[sources]]\nid = 7", "[[sources]] number 1: id must be a UUID, not 7"),
        ("[[groups]]\nname = 'a'\ncolour = 1", "unknown key colour; keys are name, roles, broken"),
        ("[[groups]]\nname = ''", "name must be a name, not ''"),
        ("[[users]]\nname = 'a'\nroles = 'b'", "roles must be a list of names, not 'b'"),
        (f"[[sources]]\nid = '{SOURCE}'\nport = true", "port must be a port (0 to 65535)"),
        (f"[[sources]]\nid = '{SOURCE}'\naddress = 'x'", "address must be an IP address"),
        (f"[[categories]]\nid = '{OTHER}'\nname = 1", "name must be text, not 1"),
        (
            f"[[recordings]]\nid = '{OTHER}'\nsession = '{SESSION}'\nstate = 'x'",
            "state must be RECORDING or PAUSED or FINISHED or ERROR, not 'x'",
        ),
        (
            f"[[recordings]]\nid = '{OTHER}'\nsession = '{SESSION}'",
            f"session: {SESSION} is not in [[sessions]]",
        ),
        (
            f"[[sessions]]\nid = '{OTHER}'\ntitle = 'a'\nsources = ['{SOURCE}']",
            f"sources: {SOURCE} is not in [[sources]]",
        ),
        ("[[users]]\nname = 'a'\ngroups = ['b']", "groups: b is not in [[groups]]"),
        ("[[groups]]\nname = 'a'\n[[groups]]\nname = 'A'", "number 2: a is there twice"),
        ("knobs = 1", "knobs must be a table, written as [knobs]"),
        ("[knobs]\nx = 1", "[knobs]: no knob named 'x'"),
        ("faults = 'x'", "faults must be a list of faults as text"),
        ("faults = ['x']", "faults: no fault 'x'"),
        ("[access]\napi = true", "[access]: unknown key api; keys are enabled, allowed"),
        ("[access]\nallowed = ['here']", 'allowed must hold IP addresses or "*"'),
    ],
)
def test_problems_say_where_and_what(text: str, problem: str) -> None:
    with pytest.raises(WorldFileError) as caught:
        world_of(text)
    assert problem in str(caught.value)
    assert str(caught.value).startswith("test.toml: ")


def test_all_problems_at_once() -> None:
    with pytest.raises(WorldFileError) as caught:
        world_of("faults = ['x']\n[knobs]\ny = 1\n[[sources]]\nid = 'z'\n[[users]]\n")
    assert len(caught.value.problems) == 4


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "world.toml"
    binary.write_bytes(b"\xff")
    for path in (tmp_path / "missing.toml", binary):
        with pytest.raises(WorldFileError, match=f"{path}: cannot be read: "):
            load_world(path, now=Clock(), ids=random.Random(1))


def test_a_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text("[[groups]]\nname = 'Staff'\n")
    assert list(load_world(path, now=Clock(), ids=random.Random(1)).groups) == ["staff"]
