"""`hmp-bridge check --live` as an operator runs it: beside a bridge, and as the reference shows."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode
from tests.broker_fixtures import Launch
from tests.brokers import Broker
from tests.check.conftest import line_of
from tests.mqtt.connections import BOTH

from .daemon import UNHURRIED
from .hmp import session_of
from .panel import Panel
from .programs import HMP_BRIDGE, Program, run_bridge
from .site import MakeSite


@BOTH
def test_a_running_bridge_is_not_disturbed(site: MakeSite, protocol: str, broker: Broker) -> None:
    """It records on, hears nothing that it would answer, and says nothing that it would not say."""
    # A machine that is stopped for a while is no broker that does not answer.
    patient = {"protocol": protocol, "connect_timeout": "1m", "keepalive": "5m"}
    s = site(mqtt=patient, knobs=["active_check=before"])
    s.panel.press("r0", "record")
    s.panel.wait_for_newest("room/r0/state", "recording")
    s.panel.wait_for("room/r0/result")
    s.panel.wait_until(lambda _: s.panel.status("r0").get("verified_at"), "the verified start")
    before, logged, log = len(s.hmp.commands()), len(s.daemon.lines), s.panel.mark()
    done = run_bridge("check", "--config", str(s.daemon.file), "--live")
    print(done.stdout, done.stderr)
    assert done.returncode == ExitCode.OK
    assert done.stderr == ""
    said = done.stdout.splitlines()
    assert line_of(said, f"pass  room r0: session {session_of(0)} exists and is being recorded")
    assert line_of(said, f"note  base topic {s.base}: bridge ").count(" is online since ") == 1
    note = line_of(said, f"note  state folder {s.daemon.state}: ")
    assert f"a bridge (process {s.daemon.pid}) runs on this folder" in note

    s.panel.press("r0", "stop")
    s.panel.wait_for_newest("room/r0/state", "idle")
    s.panel.wait_for_results("r0", 1, log)
    # It went on as if nobody had looked: one connection, one recording, one answer to one press.
    assert s.daemon.lines_with("mqtt connected") == s.daemon.lines_with("mqtt connected")[:1]
    noisy = [line for line in s.daemon.lines.since(logged) if "warning" in line or "error" in line]
    assert noisy == []
    assert s.panel.messages("bridge/response/error") == []
    assert {seen.payload for seen in s.panel.messages("bridge/state", log)} <= {"online"}
    assert len(s.hmp.recordings()) == 1
    asked = {entry["line"].split()[0] for entry in s.hmp.commands()[before:]}
    assert asked == {"getRecordingStatus", "removeSourceFromSession", "stopRecording"}
    # Nothing of the check is left at the broker.
    with closing(Panel(s.broker.port, s.base)) as newcomer:
        for leaf in ("room/r0/status", "room/r1/status", "bridge/state"):
            newcomer.wait_for(leaf)
        assert not any(seen.topic.endswith("/check") for seen in newcomer.seen.since())


@pytest.mark.mqtt5
def test_the_reference_shows_what_is_really_said(launch: Launch, tmp_path: Path) -> None:
    """Its block, line by line, but for ports and times."""
    root = Path(__file__).parents[2]
    reference = (root / "config/README.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```text\n(pass  configuration .*?)```", reference, re.DOTALL)
    own = launch()
    with closing(Program([HMP_BRIDGE, "simulate", "--port", "0"])) as simulated:
        port = int(simulated.wait_for_line("listening on ").rpartition(":")[2])
        settings = [
            f"bridge.state_dir={tmp_path}",
            f"mqtt.port={own.port}",
            f"servers.main.port={port}",
            "rooms.auditorium.session=00000000-0000-4000-8000-000000000000",
            *(f"servers.main.{key}={value}" for key, value in UNHURRIED.items()),
        ]
        options = [word for setting in settings for word in ("--set", setting)]
        done = run_bridge(
            "check", "--live", "--config", "config/bridge.toml", *options, folder=root
        )
    assert done.returncode == ExitCode.CONFIGURATION
    said = done.stdout.replace(f"localhost:{own.port}", "localhost:1883")
    said = said.replace(f"port {port}", "port 23233").replace(str(tmp_path), "/var/lib/hmp-bridge")
    said = re.sub(
        r"as (127\.0\.0\.1|::1), answers in [\d.]+ ms", "as 127.0.0.1, answers in 0.9 ms", said
    )
    assert said == shown
