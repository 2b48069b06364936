"""What `check` and `check --live` say of a journal on etcd, and that nothing is left there."""

import secrets
from functools import partial
from pathlib import Path

import pytest
import trio

from bridge.cli.main import ExitCode, run
from bridge.cluster.settings import prefix_of
from bridge.cluster.wire import put
from bridge.journal.store import Batch, Entry
from tests.brokers import free_port
from tests.cluster.boxes import AT, leading, settings
from tests.cluster.servers import Members
from tests.process.daemon import configuration, toml

from .conftest import Live, Said, line_of


@pytest.fixture
def base() -> str:
    """A base topic that no other test has."""
    return f"check-{secrets.token_hex(4)}"


@pytest.fixture
def live_with(live: Live, tmp_path: Path, base: str) -> Live:
    """`check --live` with a journal at these endpoints."""

    def call(*endpoints: str) -> Said:
        journal = {"etcd": list(endpoints), "ttl": "20s"}
        bridge = {"state_dir": str(tmp_path / "state"), "journal": journal}
        return live(mqtt={"base_topic": base}, tables={"bridge": bridge})

    return call


def test_a_journal_that_nobody_has_written_yet(live_with: Live, etcd: Members, base: str) -> None:
    [endpoint] = etcd.endpoints
    code, lines = live_with(endpoint)
    assert code == ExitCode.OK
    assert line_of(lines, f"pass  etcd {endpoint}: version 3.").endswith("can be read and written")
    below = f"journal on etcd, below hmp-bridge/{base}/*/: "
    assert line_of(lines, f"pass  {below}") == f"pass  {below}can be read, 0 rooms"
    assert line_of(lines, f"note  {below}") == f"note  {below}no box acts"


async def test_beside_a_box_that_acts(live_with: Live, etcd: Members, base: str) -> None:
    """Each member is tried; what is there stays as it is."""
    [endpoint], nobody = etcd.endpoints, f"http://127.0.0.1:{free_port()}"
    below = f"journal on etcd, below hmp-bridge/{base}/*/"
    async with leading(settings(etcd.endpoints, prefix_of(base, ""), ttl=60.0)) as left:
        await left.store.write(Batch({"hall": Entry("{}", AT), "server/main": Entry("{}", AT)}))
        before = await left.etcd.range(left.etcd.settings.prefix)
        code, lines = await trio.to_thread.run_sync(partial(live_with, nobody, endpoint))
        assert code == ExitCode.UNAVAILABLE
        refused = line_of(lines, f"FAIL  etcd {nobody}: etcd does not answer")
        assert "look at etcd, and at the way there" in refused
        assert line_of(lines, f"pass  {below}: ").endswith("can be read, 1 room")
        assert line_of(lines, f"note  {below}: the box left acts, for ").endswith(" s")
        assert await left.etcd.range(left.etcd.settings.prefix) == before

        commit = f"{left.etcd.settings.prefix}commit"
        await left.etcd.transact([], [put(commit, "nonsense")])
        code, lines = await trio.to_thread.run_sync(partial(live_with, endpoint))
        assert code == ExitCode.UNAVAILABLE
        assert "none of hmp-bridge's" in line_of(lines, f"FAIL  {below}: ")


def test_without_a_look_at_it_check_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = configuration(broker_port=1883, hmp_port=23233, base_topic="hmp")
    journal = {"etcd": ["https://a"], "username": "bridge", "password": "hunter2"}
    tables["bridge"]["journal"] = journal
    (tmp_path / "bridge.toml").write_text(toml(tables), encoding="utf-8")
    assert run(["check", "--config", str(tmp_path / "bridge.toml")]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "  journal: etcd at https://a:2379, below hmp-bridge/hmp/*/\n" in said
    assert "hunter2" not in said
