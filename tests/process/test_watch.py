"""`hmp-bridge watch` as a person runs it: in a terminal, into a pipe, while a broker restarts."""

import os
import pty
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


class Terminal:
    """A program in a terminal of 100 by 20 characters, and everything that it wrote there."""

    def __init__(self, command: list[str]) -> None:
        self._keyboard, terminal = pty.openpty()
        environment = clean_environment({"TERM": "xterm", "COLUMNS": "100", "LINES": "20"})
        self._process = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment,
            start_new_session=True,
        )
        os.close(terminal)
        self.raw = ""

    def close(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._keyboard)

    def wait_for(self, wanted: str) -> None:
        """Read until this was written."""
        self.wait_for_match(re.escape(wanted))

    def wait_for_match(self, pattern: str) -> None:
        """Read until something like this was written."""
        while re.search(pattern, self.raw) is None:
            try:
                self.raw += os.read(self._keyboard, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"{pattern!r} is not in {self.raw!r}") from None

    def interrupt(self) -> int:
        """Ctrl-C; the exit code, once everything is read."""
        self._process.send_signal(signal.SIGINT)
        try:
            while True:
                self.raw += os.read(self._keyboard, 65536).decode(errors="replace")
        except OSError:
            return self._process.wait(PATIENCE)

    @property
    def text(self) -> str:
        """Everything so far, without what moves the cursor and colours."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.raw)


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
