"""`hmp-bridge watch` as a person runs it: in a terminal, into a pipe, while a broker restarts."""

import re
import signal
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions

from .panel import Panel
from .programs import HMP_BRIDGE, Program, clean_environment
from .site import MakeSite
from .terminal import Terminal
from .watched import PATIENCE


def file_for(folder: Path, broker: Broker, more: str = "") -> Path:
    """A configuration; no HMP is asked anything."""
    file = folder / "watch.toml"
    file.write_text(
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nbase_topic = "watched/hmp"\n{more}\n'
        '[servers.main]\nhost = "127.0.0.1"\n[rooms.r0]\nserver = "main"\n'
        'session = "71edd346-2cf0-4c62-b3d3-9d457b287394"\n'
    )
    return file


def start(stack: ExitStack, file: Path) -> Program:
    """`watch` into a pipe."""
    watch = Program([HMP_BRIDGE, "watch", "--config", str(file)])
    stack.enter_context(closing(watch))
    stack.callback(lambda: print(watch.output))
    return watch


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_plain_lines_where_there_is_no_terminal(
    site: MakeSite, stack: ExitStack, number: signal.Signals
) -> None:
    """What is retained, then what changes; Ctrl-C ends it without a word."""
    s = site()
    watch = start(stack, s.daemon.file)
    watch.wait_for_line("broker 127.0.0.1:", "connected")
    watch.wait_for_line(f"{s.base}/room/r1/availability", "online")
    s.panel.press("r0", "record")
    line = watch.wait_for_line(f"{s.base}/room/r0/tally", "red")
    assert re.fullmatch(rf"\d\d:\d\d:\d\d  {s.base}/room/r0/tally +red", line)
    watch.wait_for_line(f"{s.base}/room/r0/ack", "record ok")
    assert watch.lines_with("/status") == []
    assert watch.stop(number) == 0
    assert "Traceback" not in watch.output
    # The bridge and the panel have not noticed.
    assert s.panel.newest("bridge/state") == "online"
    assert len(s.daemon.lines_with("mqtt connected")) == 1


@pytest.mark.mqtt5
def test_it_only_reads_and_comes_back(launch: Launch, stack: ExitStack, tmp_path: Path) -> None:
    """A user who may write nothing is enough; and what is said after a restart is seen."""
    acl = ("user viewer", "topic read watched/hmp/#", "user panel", "topic readwrite #")
    broker = launch(BrokerOptions(users={"viewer": "secret", "panel": "x"}, acl=acl))
    watch = start(stack, file_for(tmp_path, broker, 'username = "viewer"\npassword = "secret"'))
    watch.wait_for_line("connected")
    broker.stop()
    watch.wait_for_line("start the broker")
    broker.start()
    watch.lines.until(lambda lines: sum("connected" in line for line in lines) >= 2, "again")
    assert watch.stop(signal.SIGINT) == 0
    clients = [line for line in broker.log.splitlines() if "hmp-bridge-watch-" in line]
    assert any("Sending CONNACK" in line for line in clients)
    assert not any("Received PUBLISH" in line for line in clients)
    assert "secret" not in watch.output


def test_whoever_reads_us_goes_away(broker: Broker, tmp_path: Path, stack: ExitStack) -> None:
    """As `hmp-bridge watch | head -1`."""
    panel = stack.enter_context(closing(Panel(broker.port, "watched/hmp")))
    file = file_for(tmp_path, broker)
    with subprocess.Popen(
        [HMP_BRIDGE, "watch", "--config", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
        text=True,
    ) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert "connected" in watch.stderr.readline()
        panel.publish("room/r0/state", "idle")
        assert "watched/hmp/room/r0/state" in watch.stdout.readline()
        watch.stdout.close()
        panel.publish("room/r0/state", "recording")
        assert watch.wait(PATIENCE) == 128 + signal.SIGPIPE
        assert watch.stderr.read() == ""


def test_without_the_extra_it_says_what_to_install(broker: Broker, tmp_path: Path) -> None:
    """Plain lines in a terminal too, and why."""
    program = (
        "import sys\n"
        "sys.modules['rich'] = None\n"
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'rich' else find(name, *rest)\n"
        "from bridge.__main__ import main\n"
        f"sys.argv = ['hmp-bridge', 'watch', '--config', {str(file_for(tmp_path, broker))!r}]\n"
        "main()\n"
    )
    with closing(Terminal([sys.executable, "-c", program])) as watch:
        watch.wait_for("pip install 'hmp-bridge[watch]'")
        watch.wait_for("connected")
        assert watch.interrupt() == 0


def test_live_in_a_terminal(site: MakeSite) -> None:
    """A room's state as it changes; the terminal is given back as it was."""
    s = site()
    with closing(Terminal([HMP_BRIDGE, "watch", "--config", str(s.daemon.file)])) as watch:
        watch.wait_for("\x1b[?1049h")  # the alternate screen
        watch.wait_for("online")
        watch.wait_for("ready")
        s.panel.press("r0", "record")
        watch.wait_for("record ok")
        watch.wait_for_match(r"(?<!\d)0:0\d:\d[1-9]")
        assert "recording" in watch.text
        s.panel.press("r0", "stop")
        watch.wait_for("stop ok")
        assert watch.interrupt() == 0
        assert "Traceback" not in watch.text
        assert watch.raw.rstrip().endswith(("\x1b[?1049l", "\x1b[?25h"))


KEYS = {"q": "q", "Q": "Q", "Ctrl-C": "\x03", "Ctrl-backslash": "\x1c"}
SIGNALS = [signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("leave", [*KEYS, *SIGNALS], ids=str)
def test_however_it_is_left_the_terminal_is_as_before(
    leave: str | signal.Signals, broker: Broker, tmp_path: Path
) -> None:
    """Modes, screen and cursor; no other key does anything."""
    file = file_for(tmp_path, broker)
    with closing(Terminal([HMP_BRIDGE, "watch", "--config", str(file)], size=(80, 12))) as watch:
        before = watch.modes()
        watch.wait_for("connected")
        assert watch.modes() != before
        watch.wait_for("q leaves")
        watch.type("x\x1bOq\n")
        since = len(watch.raw)
        watch.wait_for("r0", since)  # it is drawn again
        if isinstance(leave, str):
            watch.type(KEYS[leave])
        else:
            watch.process.send_signal(leave)
        assert watch.wait() == 0
        assert watch.modes() == before
        assert watch.raw.rindex("\x1b[?1049l") > watch.raw.rindex("\x1b[?1049h")
        assert watch.raw.rindex("\x1b[?25h") > watch.raw.rindex("\x1b[?25l")
        assert "Traceback" not in watch.text


def test_it_is_suspended_and_goes_on(broker: Broker, tmp_path: Path) -> None:
    """Ctrl-Z gives the terminal to the shell; `fg` brings the screen back."""
    file = file_for(tmp_path, broker)
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with closing(Terminal(shell, environment={"PS1": "$ "})) as terminal:
        terminal.type(f"PS1='READY> '; {HMP_BRIDGE} watch --config {file}\n")
        terminal.wait_for("connected")
        terminal.type("\x1a")
        stopped = terminal.wait_for_match(r"\x1b\[\?1049l.*Stopped.*READY> ").end()
        terminal.type("fg\n")
        again = terminal.wait_for_match(r"\x1b\[\?1049h.*connected", stopped).end()
        terminal.type("q")
        terminal.wait_for_match(r"\x1b\[\?1049l.*READY> ", again)
        terminal.type("exit\n")
        assert terminal.wait() == 0


def test_a_terminal_that_becomes_narrow(broker: Broker, tmp_path: Path) -> None:
    file = file_for(tmp_path, broker)
    with closing(Terminal([HMP_BRIDGE, "watch", "--config", str(file)], size=(120, 20))) as watch:
        watch.wait_for_match("room\x1b.*last result.*not heard of")
        watch.resize(40, 20)
        narrow = "room *\x1b(?:(?!last result|room *\x1b).)*not heard of"
        watch.wait_for_match(narrow, len(watch.raw))
        watch.type("q")
        assert watch.wait() == 0
