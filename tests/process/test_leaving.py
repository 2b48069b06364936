"""One bridge at a time, and how it leaves: signals, systemd, restarts."""

import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions

from .site import MakeSite
from .watched import PATIENCE

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


@SIGNALS
def test_a_signal_leaves_in_order(site: MakeSite, number: signal.Signals) -> None:
    """The command in flight ends, the recording runs on, `offline` is the last word, code 0."""
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.hmp.fault("delay:startRecording:3")  # so long that it shows
    s.panel.press("r1", "record")
    s.panel.wait_for("room/r1/state", "starting")
    mark = s.panel.mark()
    assert s.daemon.stop(number) == 0
    s.panel.wait_for("bridge/state", "offline", since=mark)
    # The answer that came during the farewell was still published, ahead of `offline`.
    assert s.panel.newest("room/r1/state") == "recording"
    second = s.hmp.commands("startRecording")[1]["answer"].removeprefix("OK|")
    assert s.panel.newest("room/r1/recording_id") == second
    assert len(s.hmp.recordings("RECORDING")) == 2
    assert s.hmp.commands("stopRecording") == []
    said = [seen.topic.removeprefix(f"{s.base}/") for seen in s.panel.seen.since(mark)]
    assert said[-1] == "bridge/state"
    assert s.panel.payloads("bridge/state", mark) == ["offline"]
    assert s.panel.newest("room/r0/state") == "recording"
    s.daemon.wait_for_line("stopping", number.name)
    s.daemon.wait_for_line("bridge stopped")
    assert "Traceback" not in s.daemon.output
    s.add_daemon(state=s.daemon.state)
    s.panel.wait_for("bridge/state", "online", since=mark)
    assert len(s.hmp.commands("startRecording")) == 2


@SIGNALS
def test_a_second_signal_ends_at_once(site: MakeSite, number: signal.Signals) -> None:
    """Whoever asks twice does not wait for an HMP that takes its time."""
    s = site()
    s.hmp.fault("half_open:startRecording:count=1")
    s.panel.press("r0", "record")
    s.hmp.wait_until(lambda hmp: hmp.do("faults")["faults"] == [], "swallowed the command")
    mark = s.panel.mark()
    s.daemon.send_signal(number)
    s.daemon.wait_for_line("stopping")
    s.daemon.send_signal(number)
    assert s.daemon.wait() == -number
    s.panel.wait_for("bridge/state", "offline", since=mark)


def test_leaving_without_broker_and_hmp(site: MakeSite) -> None:
    """Nothing to say goodbye to is no reason to stay, and starting so is no reason to give up."""
    s = site(start=False)
    s.hmp.close()
    s.tables["mqtt"]["port"] = 1
    daemon = s.add_daemon()
    daemon.wait_for_line("mqtt connection failed", "127.0.0.1:1", "mqtt.port")
    daemon.wait_for_line("HMP cannot be used", "state=refused", "what_to_do=")
    assert daemon.stop() == 0


def test_two_bridges_one_state_folder(site: MakeSite) -> None:
    """The second says whose folder it is and exits 69; it can start once the first has gone."""
    s = site()
    first = s.daemon
    second = s.add_daemon(state=first.state)
    assert second.wait() == 69
    [line] = second.lines.since()
    assert f"process {first.pid}" in line
    assert str(first.state) in line
    assert "bridge.state_dir" in line
    assert first.stop() == 0
    mark = s.panel.mark()
    third = s.add_daemon(state=first.state)
    s.panel.wait_for("bridge/state", "online", since=mark)
    assert third.stop() == 0


@pytest.mark.parametrize("protocol", [pytest.param("5", marks=pytest.mark.mqtt5), "3.1.1"])
def test_two_bridges_one_base_topic(site: MakeSite, protocol: str) -> None:
    """The second says which instance is there and exits 69, and does not say `offline` for it."""
    s = site(mqtt={"protocol": protocol})
    first = s.daemon
    [name] = (first.state / "instance-id").read_text().split()
    mark = s.panel.mark()
    second = s.add_daemon()
    assert second.wait() == 69
    assert second.lines_with("another bridge", name, s.base, "mqtt.base_topic")
    assert "Traceback" not in second.output
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    assert s.panel.payloads("bridge/state", mark) == []
    assert first.stop() == 0
    s.panel.wait_for("bridge/state", "offline", since=mark)
    mark = s.panel.mark()
    s.add_daemon()
    s.panel.wait_for("bridge/state", "online", since=mark)


@pytest.mark.parametrize("abstract", [False, True])
def test_word_to_systemd(site: MakeSite, tmp_path: Path, abstract: bool) -> None:
    """READY=1 once it runs, STOPPING=1 when it leaves."""
    s = site(start=False)
    path = str(tmp_path / "notify")
    address = f"@{path}" if abstract else path
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.settimeout(PATIENCE)
        systemd.bind(f"\0{path}" if abstract else path)
        s.add_daemon(environment={"NOTIFY_SOCKET": address})
        while b"READY=1" not in systemd.recv(4096).split(b"\n"):
            pass
        # Both links are up then.
        s.daemon.wait_for_line("mqtt connected")
        s.daemon.wait_for_line("HMP is ready")
        assert s.daemon.stop() == 0
        said = [systemd.recv(4096)]
        while b"STOPPING=1" not in said[-1]:
            said.append(systemd.recv(4096))


def test_the_watchdog_hears_that_the_event_loop_turns(site: MakeSite, tmp_path: Path) -> None:
    """Again and again where systemd asks for it, and not after the loop has stopped turning."""
    s = site(start=False)
    path = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.settimeout(PATIENCE)
        systemd.bind(path)
        s.add_daemon(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"})
        said = iter(lambda: systemd.recv(4096), b"")
        for _ in range(4):
            assert b"WATCHDOG=1" in said
        s.daemon.send_signal(signal.SIGSTOP)
        systemd.settimeout(1)
        with pytest.raises(TimeoutError):
            list(said)
        s.daemon.send_signal(signal.SIGCONT)
        systemd.settimeout(PATIENCE)
        assert b"WATCHDOG=1" in iter(lambda: systemd.recv(4096), b"")


def test_what_systemd_shows(site: MakeSite, tmp_path: Path, launch: Launch) -> None:
    """Links and rooms as they are: at the start, after a press, and while the broker is down."""
    broker = launch(BrokerOptions())
    s = site(start=False, broker=broker)
    path = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.settimeout(PATIENCE)
        systemd.bind(path)

        def shown(*parts: str) -> None:
            said = ""
            while not all(part in said for part in parts):
                said = systemd.recv(4096).decode()

        s.add_daemon(environment={"NOTIFY_SOCKET": path})
        s.wait_ready()
        shown("STATUS=broker online; 1 of 1 servers ready; 0 of 2 rooms recording")
        s.panel.press("r0", "record")
        shown("STATUS=broker online; 1 of 1 servers ready; 1 of 2 rooms recording")
        broker.kill()
        shown("STATUS=broker down (", "; 1 of 1 servers ready; 1 of 2 rooms recording")
        s.hmp.kill()
        shown("STATUS=broker down (", "; 0 of 1 servers ready (main ", "; 1 of 2 rooms recording")
        assert s.daemon.stop() == 0
        shown("STOPPING=1", "STATUS=leaving")


def test_a_watchdog_for_another_process_hears_nothing(site: MakeSite, tmp_path: Path) -> None:
    """And that nobody listens any more is no reason to end."""
    s = site(start=False)
    path = tmp_path / "notify"
    ours = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.settimeout(PATIENCE)
        systemd.bind(str(path))
        s.add_daemon(environment=ours)
        said = b""
        while b"STATUS=broker online; 1 of 1" not in said:
            assert b"WATCHDOG" not in said
            said = systemd.recv(4096)
    assert s.daemon.stop() == 0


def test_state_folder_of_systemd_and_of_the_user(site: MakeSite, tmp_path: Path) -> None:
    """Without `bridge.state_dir` it is STATE_DIRECTORY, else below XDG_STATE_HOME."""
    s = site(start=False)
    for variable, folder in (
        ({"STATE_DIRECTORY": f"{tmp_path}/systemd:/elsewhere"}, tmp_path / "systemd"),
        ({"XDG_STATE_HOME": f"{tmp_path}/xdg"}, tmp_path / "xdg" / "hmp-bridge"),
    ):
        mark = s.panel.mark()
        daemon = s.add_daemon(environment=variable, configured_state=False)
        s.panel.wait_for("bridge/state", "online", since=mark)
        assert (folder / "instance-id").exists()
        assert daemon.stop() == 0
