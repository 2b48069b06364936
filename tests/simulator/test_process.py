"""``python -m bridge.simulator`` as a process: ports, events, signals, exit codes."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.simulator.__main__ import main
from tests.process.watched import PATIENCE

from .worlds import SESSION


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bridge.simulator", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def address_in(line: str, prefix: str) -> tuple[str, int]:
    assert line.startswith(prefix), line
    host, _, port = line.removeprefix(prefix).rpartition(":")
    return host, int(port)


def ask(address: tuple[str, int], line: str) -> str:
    with socket.create_connection(address, timeout=PATIENCE) as sock, sock.makefile("rw") as stream:
        stream.write(f"{line}\n")
        stream.flush()
        return stream.readline().rstrip("\n")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(stop: signal.Signals, tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text(f"[[sessions]]\nid = '{SESSION}'\ntitle = 'x'\n")
    with running(
        *("--control-port", "0", "--world", str(world), "--seed", "1", "--verbose"),
        *("--knob", "crlf=true", "--fault", "error:startRecording:070000:count=1"),
    ) as process:
        api = address_in(line_of(process), "listening on ")
        control = address_in(line_of(process), "control on ")
        answer = ask(api, f"startRecording {SESSION}")
        assert answer == "ERROR|070000|Internal Server Error"
        assert line_of(process).endswith(" connected")
        assert line_of(process).endswith(f"startRecording {SESSION} → {answer}")
        assert line_of(process).endswith(" disconnected")
        seen = json.loads(ask(control, '{"do": "snapshot"}'))
        assert seen["log"][0]["answer"] == answer
        assert seen["knobs"]["crlf"] is True
        process.send_signal(stop)
        _, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, errors) == (0, "")


def test_without_a_control_port_there_is_none() -> None:
    with running() as process:
        api = address_in(line_of(process), "listening on ")
        assert ask(api, "ping") == "ERROR|000002|Command not found"
        process.terminate()
        output, _ = process.communicate(timeout=PATIENCE)
        assert (process.returncode, output) == (0, "")


def test_a_taken_port_is_exit_69(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["--port", port]) == os.EX_UNAVAILABLE
        said = capsys.readouterr()
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said.err
        assert said.out == ""
        assert main(["--port", "0", "--control-port", port]) == os.EX_UNAVAILABLE


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--fault", "explode"], os.EX_USAGE, "no fault 'explode'; kinds are"),
        (["--knob", "x=1"], os.EX_USAGE, "no knob named 'x'"),
        (["--knob", "x"], os.EX_USAGE, "'x' is not NAME=VALUE"),
        (["--port", "70000"], os.EX_USAGE, "'70000' is not a port"),
        (["--world", "missing.toml"], os.EX_CONFIG, "missing.toml: cannot be read"),
        (["--help"], os.EX_OK, ""),
    ],
)
def test_exit_codes(
    arguments: list[str], code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", *arguments]) == code
    assert complaint in capsys.readouterr().err


def test_the_pure_modules_load_no_trio() -> None:
    program = (
        "import sys; import bridge.simulator.worldfile, bridge.simulator.web_pages, "
        "bridge.simulator.snapshot; "
        "print(sorted({'trio', 'paho', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
