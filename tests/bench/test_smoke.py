"""Every benchmark runs, for a moment, and prints its rows; what it measured is nobody's promise."""

import json
import socket
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.brokers import Broker, has_mosquitto
from tests.brokers.others import nats_server
from tests.cluster.servers import need_etcd

from .__main__ import BENCHMARKS, main
from .figures import Figure, Sample, percentile, table
from .instant_hmp import InstantHmp
from .panel import Panel, Said, SlowPanel

needs_mosquitto = pytest.mark.skipif(not has_mosquitto(), reason="measured against mosquitto")


@needs_mosquitto
@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It comes to its end, and says every figure with its unit."""
    if name == "shared_journal":
        need_etcd()
    if name == "campus_cluster" and nats_server() is None:
        pytest.skip("needs nats-server: extra brokers")
    quick = ["--seconds", "0.2", "--repetitions", "1", "--disk", str(tmp_path)]
    file = tmp_path / "measured.json"
    assert main([name, *quick, "--json", str(file)]) == 0
    [rows_of_one] = json.loads(file.read_text(encoding="utf-8")).values()
    assert all(row["what"] and row["values"] for row in rows_of_one)
    title, _, rows, *_ = capsys.readouterr().out.split("\n", 3)
    assert title.startswith(f"## {name}: ")
    assert rows.startswith("| figure")


def test_unknown_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    """The names there are, instead."""
    with pytest.raises(SystemExit):
        main(["lateness"])
    assert "no benchmark lateness; there are latency, " in capsys.readouterr().err


def test_table() -> None:
    """Medians, spread, ratio, and whether the target is met."""
    figure = Figure("press", Sample([3.0, 1.0, 2.0]), "ms", 4.0, "bare", "≤ 1 x", met=True)
    plain = Figure("wait", Sample([1234.5]), "s")
    head, rule, *rows = table([figure, plain]).splitlines()
    assert len({len(line) for line in (head, rule, *rows)}) == 1
    assert [cell.strip() for cell in rows[0].split("|")[1:-1]] == [
        *("press", "2 ms", "1 … 3", "4 bare", "0.50", "≤ 1 x", "yes")
    ]
    assert [cell.strip() for cell in rows[1].split("|")[1:3]] == ["wait", "1,234 s"]


def test_ratios_are_taken_within_a_round() -> None:
    """However the machine was in it."""
    ours, theirs = Sample([2.0, 40.0, 6.0]), Sample([1.0, 10.0, 2.0])
    figure = Figure("press", ours, "ms", theirs.median, "bare", rounds=theirs)
    assert figure.cells()[4] == "3.00 (2.50 … 3.50)"
    assert figure.document()["ratios"] == [2.0, 4.0, 3.0]


def test_percentile() -> None:
    """The largest of a hundred is the last percent."""
    values = [float(value) for value in range(100, 0, -1)]
    assert (percentile(values, 50), percentile(values, 99)) == (51.0, 100.0)
    assert percentile([7.0], 99) == 7.0


def test_instant_hmp() -> None:
    """It knows what runs, keeps its log, and takes as long as it is told to."""
    hmp = InstantHmp()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    thread = threading.Thread(target=hmp.serve, args=(far,))
    thread.start()
    with closing(near), near.makefile("rw", encoding="utf-8") as lines:

        def ask(line: str) -> str:
            lines.write(f"{line}\n")
            lines.flush()
            return lines.readline().rstrip("\n")

        ok, recording = ask("startRecording s").split("|")
        assert ok == "OK"
        assert ask(f"getRecordingStatus {recording}") == "OK|RECORDING"
        assert ask(f'pauseRecording "{recording}"') == "OK"
        assert ask(f"getRecordingStatus {recording}") == "OK|PAUSED"
        assert ask(f"resumeRecording {recording}") == "OK"
        assert ask(f"stopRecording {recording}") == "OK"
        assert ask(f"getRecordingStatus {recording}") == "OK|FINISHED"
        assert ask("getRecordingStatus nobody") == "ERROR|040001|Active recording not found"
        assert len(json.loads(ask("log"))) == 8
        assert ask("delay 0.01") == "OK"
        began = time.monotonic()
        assert ask("pauseRecording r") == "OK"
        assert time.monotonic() - began >= 0.01
        ((received, answered, name),) = json.loads(ask("log"))
        assert name == "pauseRecording"
        assert answered - received >= 0.01
    thread.join()


@needs_mosquitto
def test_panel(broker: Broker) -> None:
    """A panel sees what another one publishes, whole, in order, acknowledged or not."""
    topic = "bench/panel"
    with (
        closing(Panel(broker.port, [topic])) as light,
        closing(SlowPanel(broker.port, [topic], seconds=0.0001, receive_buffer=4096)) as slow,
        closing(Panel(broker.port)) as buttons,
    ):
        said = [Said(topic, "x" * length) for length in (0, 1, 130, 20_000)]
        said += [Said(topic, str(number)) for number in range(200)]
        buttons.publish(said)
        for each in (light, slow):
            seen: list[Said] = []
            while len(seen) < len(said):
                seen += each.receive()
            assert seen == said
            assert each.drain() == []
        buttons.publish([(topic, "again")])
        light.wait_for(topic, "again")
        with pytest.raises(TimeoutError):
            light.receive(0.01)
