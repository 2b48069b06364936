"""`hmp-bridge demo` as a person runs it: one command, a terminal, Ctrl-C."""

import math
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
import trio

from bridge.demo.demo import DemoError, broker_process
from tests.brokers import free_port

from .panel import Panel
from .programs import HMP_BRIDGE, Program, clean_environment, run_bridge
from .watched import PATIENCE

pytest.importorskip("amqtt", reason="needs the extra `demo`")

EXAMPLE = Path(__file__).parents[2] / "config" / "bridge.toml"
USUAL = (1883, 23233, 8080)


def port_of(demo: Program, what: str) -> int:
    """The port that the introduction names."""
    return int(demo.wait_for_line(what, " localhost:").rpartition(":")[2])


def broker_of(demo: Program) -> int:
    """The process id of its broker, the one process that it has started."""
    threads = Path(f"/proc/{demo.pid}/task").glob("*/children")
    [broker] = [int(child) for each in threads for child in each.read_text().split()]
    return broker


def is_running(pid: int) -> bool:
    """Whether there is such a process, other than one that has ended and was not waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def occupy(stack: ExitStack) -> None:
    """Make sure that the usual ports are taken, by us or by whoever has them already.

    Shared with the tests that run at the same time: what one of them lets go is still taken.
    """
    for port in USUAL:
        try:
            stack.enter_context(socket.create_server(("127.0.0.1", port), reuse_port=True))
        except OSError:
            continue


def start(stack: ExitStack, *options: str, stdin: int = subprocess.DEVNULL) -> Program:
    """The demo, introduced."""
    kept = clean_environment(
        {f"HMP_BRIDGE_ROOMS__{room}__MARK_TTL": "1h" for room in ("BOARDROOM", "AUDITORIUM")}
    )
    command = [HMP_BRIDGE, "demo", *options]
    demo = stack.enter_context(closing(Program(command, environment=kept, stdin=stdin)))
    stack.callback(lambda: print(demo.output))
    demo.wait_for_line("What is published:")
    return demo


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_press_is_seen_and_nothing_is_left(stack: ExitStack, number: signal.Signals) -> None:
    """Ports taken: others are used, which is said. A published press shows. Then it ends, whole."""
    occupy(stack)
    demo = start(stack)
    assert demo.lines_with("Port 1883 is taken: the MQTT broker is on port")
    assert demo.lines_with("Port 23233 is taken: the simulated HMP is on port")
    assert demo.lines_with("Port 8080 is taken: the rooms' page is on port")
    broker_port, hmp_port = port_of(demo, "MQTT broker"), port_of(demo, "simulated HMP")
    assert broker_port != 1883
    assert f"-p {broker_port} " in demo.wait_for_line("mosquitto_pub", "press/toggle")
    assert f"--set servers.main.port={hmp_port}" in demo.wait_for_line("hmp-bridge", "send")
    demo.wait_for_line("hmp/bridge/state", "online")
    demo.wait_for_line("hmp/room/auditorium/availability", "online")
    broker = broker_of(demo)

    panel = stack.enter_context(closing(Panel(broker_port)))
    panel.press("boardroom", "toggle")
    panel.wait_for("room/boardroom/ack", "toggle ok")
    demo.wait_for_line("hmp/room/boardroom/tally", "red")
    demo.wait_for_line("hmp/room/boardroom/ack", "toggle ok")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  hmp/room/boardroom/recording +true",
        demo.wait_for_line("boardroom/recording ", "true"),
    )

    assert demo.stop(number) == 0
    assert not is_running(broker)
    assert "Traceback" not in demo.output
    panel.wait_for("bridge/state", "offline")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", hmp_port), timeout=PATIENCE).close()


def test_the_page_comes_first(stack: ExitStack) -> None:
    """Its address is the first that is said, the page is there, and so is what it asks."""
    occupy(stack)
    demo = start(stack)
    demo.wait_for_line("hmp/room/boardroom/availability", "online")
    said = [line for line in demo.lines.since() if line and " is taken: " not in line]
    address = re.fullmatch(r"Open (http://localhost:\d+/boardroom) in a browser, .*", said[0])
    assert address is not None, said
    page = httpx.get(address[1], timeout=PATIENCE)
    assert page.headers["content-type"].startswith("text/html")
    pressed = demo.wait_for_line("curl -X POST ").split()[-1].replace("/mark", "/record")
    assert httpx.post(pressed, timeout=PATIENCE).json()["outcome"] == "ok"
    demo.wait_for_line("hmp/room/boardroom/tally", "red")


def test_the_pasted_lines_work(stack: ExitStack) -> None:
    """Each mosquitto_pub line of the introduction, word for word, and `send` beside it."""
    occupy(stack)
    demo = start(stack)
    demo.wait_for_line("hmp/room/boardroom/availability", "online")
    panel = stack.enter_context(closing(Panel(port_of(demo, "MQTT broker"))))
    publications = demo.lines_with("mosquitto_pub -h localhost")
    assert len(publications) == 5
    for line in publications:
        words = subprocess.run(  # as a shell takes it apart
            ["bash", "-c", f"printf '%s\\n' {line.strip().removeprefix('mosquitto_pub')}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        topic, payload = words[words.index("-t") + 1], words[words.index("-m") + 1]
        since = panel.mark()
        panel.publish(topic.removeprefix("hmp/"), payload)
        assert panel.wait_for_results("boardroom", 1, since)[0]["outcome"] in ("ok", "ignored")
        panel.wait_for("room/boardroom/ack", since=since)
    sent = demo.wait_for_line("hmp-bridge send").strip()
    assert sent.startswith(f"{HMP_BRIDGE} send "), "as it was called: it need not be on the path"
    command = sent.replace(" send ", f" send --config {EXAMPLE} ", 1)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"OK\|[0-9a-f-]{36}\n", done.stdout)


def start_in_a_terminal(stack: ExitStack) -> tuple[Program, int]:
    """The demo, its first room ready, and the descriptor of its keyboard."""
    occupy(stack)
    keyboard, terminal = pty.openpty()
    stack.callback(os.close, keyboard)
    demo = start(stack, stdin=terminal)
    os.close(terminal)
    demo.wait_for_line("hmp/room/boardroom/availability", "online")
    return demo, keyboard


def test_typing_presses_a_button(stack: ExitStack) -> None:
    """A line typed into the demo's terminal is an action of the first room."""
    demo, keyboard = start_in_a_terminal(stack)
    for typed, shown in (
        (b"record\n", "record ok"),
        (b"\n  mark \n", "mark ok"),
        (b"explode\n", "'explode' is no action"),
        (b"stop\n", "stop ok"),
    ):
        os.write(keyboard, typed)
        demo.wait_for_line(shown)
    assert demo.stop(signal.SIGINT) == 0


def test_two_lines_at_once_are_two_presses(stack: ExitStack) -> None:
    """Pasted lines arrive together."""
    demo, keyboard = start_in_a_terminal(stack)
    os.write(keyboard, b"record\nmark\n")
    demo.wait_for_line("record ok")
    demo.wait_for_line("hmp/room/boardroom/ack", "mark")
    os.write(keyboard, b"\x04")  # end of input: the demo goes on without a keyboard
    panel = stack.enter_context(closing(Panel(port_of(demo, "MQTT broker"))))
    panel.press("auditorium", "record")
    demo.wait_for_line("hmp/room/auditorium/state", "recording")


def test_without_a_bridge_there_is_room_for_ones_own(stack: ExitStack, tmp_path: Path) -> None:
    """`--no-bridge`, and the annotated configuration, unchanged but for the ports."""
    occupy(stack)
    demo = start(stack, "--no-bridge")
    introduced = demo.wait_for_line("bridge          yours: start it with")
    ports = [port_of(demo, each) for each in ("MQTT broker", "simulated HMP")]
    settings = [f"mqtt.port={ports[0]}", f"servers.main.port={ports[1]}"]
    settings += [f"bridge.state_dir={tmp_path}"]
    assert introduced.endswith(f" run --set {settings[0]} --set {settings[1]}")
    options = [word for setting in settings for word in ("--set", setting)]
    daemon = Program([HMP_BRIDGE, "run", "--config", str(EXAMPLE), *options])
    stack.enter_context(closing(daemon))
    demo.wait_for_line("hmp/room/auditorium/availability", "online")
    assert daemon.stop() == 0
    demo.wait_for_line("hmp/bridge/state", "offline")


def test_the_demo_is_killed(stack: ExitStack) -> None:
    """The broker does not outlive it."""
    occupy(stack)
    demo = start(stack)
    broker = broker_of(demo)
    follower = os.pidfd_open(broker)
    stack.callback(os.close, follower)
    demo.send_signal(signal.SIGKILL)
    demo.wait()
    assert select.select([follower], [], [], PATIENCE)[0], "the broker runs on"


async def test_the_broker_is_waited_for_and_then_left_alone() -> None:
    """The patience with its start is no limit to how long the demo runs."""
    port = free_port()
    async with broker_process(port):
        assert trio.current_effective_deadline() == math.inf
        await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
    with pytest.raises(OSError, match="failed"):
        await trio.open_tcp_stream("127.0.0.1", port)


async def test_a_broker_that_cannot_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(DemoError, match=f"the broker did not start on port {port}"):
            async with broker_process(port):
                pass


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """No amqtt: exit 69 and the line to type."""
    program = (
        "import sys\n"
        "sys.modules['amqtt'] = None\n"
        "from bridge.__main__ import main\n"
        "sys.argv = ['hmp-bridge', 'demo']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == os.EX_UNAVAILABLE
    assert "pip install 'hmp-bridge[demo]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert run_bridge("demo", "--port", str(free_port())).returncode == os.EX_USAGE


def test_what_the_environment_says_of_the_bridge_can_be_wrong() -> None:
    """One line and exit 78, before anything has been started."""
    environment = clean_environment({"HMP_BRIDGE_MQTT__PROTOCOL": "4"})
    done = subprocess.run(
        [HMP_BRIDGE, "demo"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == os.EX_CONFIG
    assert done.stderr == (
        "environment variable HMP_BRIDGE_MQTT__PROTOCOL: [mqtt] protocol: must be one of "
        "'auto', '5' or '3.1.1', not '4'\n"
    )


def test_the_environment_leads_it_to_no_other_broker(stack: ExitStack) -> None:
    occupy(stack)
    environment = clean_environment({"HMP_BRIDGE_MQTT__HOST": "broker.invalid"})
    demo = stack.enter_context(closing(Program([HMP_BRIDGE, "demo"], environment=environment)))
    demo.wait_for_line("hmp/room/boardroom/availability", "online")
