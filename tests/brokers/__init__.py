"""Real brokers as subprocesses on free loopback ports, to be stopped and started mid-test.

mosquitto where it is installed, else the embedded broker (MQTT 3.1.1 only); `others` has more
kinds. A broker keeps its ports over a restart, and keeps no retained messages and no sessions
unless `persistence` is set.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from . import others

__all__ = [
    "Broker",
    "BrokerOptions",
    "Certificates",
    "Kind",
    "claim_hundred",
    "free_port",
    "has_mosquitto",
    "mosquitto",
]

START_PATIENCE = 120.0
"""Seconds that a broker may take until it accepts connections."""

Kind = Literal["mosquitto", "embedded", "aedes", "nats", "rabbitmq"]


def mosquitto() -> str | None:
    """Path of the installed broker."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def has_mosquitto() -> bool:
    """Whether tests can have MQTT 5, TLS, users and all the rest."""
    return mosquitto() is not None


def claim_hundred() -> int:
    """The first of a hundred ports that no other process of tests takes any of while this one runs.

    Nor does the kernel give one of them to whoever asks for any. So a port stays free between its
    choice and its use, and while who has it is restarted: no connection that goes out, no listener
    on port 0, and no test beside this one, whose worker chooses ports as well, comes upon it.
    """
    given_by_kernel = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(given_by_kernel.read_text(encoding="ascii").split()[0])
    hundreds = range(10_000, lowest - 99 if lowest > 12_000 else 32_700, 100)
    for first in random.SystemRandom().sample(hundreds, len(hundreds)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as claim, suppress(OSError):
            claim.bind(("127.0.0.1", first))  # of UDP, which nobody here speaks
            claim.detach()  # until this process ends
            return first
    raise RuntimeError("no hundred of ports is free")


def _ports() -> Iterator[int]:
    """Ports of this process's own, in any order, none twice."""
    while True:
        first = claim_hundred()
        yield from random.SystemRandom().sample(range(first, first + 100), 100)


_candidates = _ports()


def free_port() -> int:
    """A loopback port that nobody listens on, and that nobody is given by chance."""
    for port in _candidates:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: an authority, a certificate for `localhost` and 127.0.0.1, and its key."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOptions:
    """What a test asks of its broker. `users`: password by name; `acl`: lines of an ACL file.

    `queued`: messages that may wait for one client; what comes then mosquitto drops, and a test
    that is short of a core would take it for unsaid. None: its default, 1,000. Not 0, for no bound:
    version 2.0.11 then hangs up on whoever publishes what an ACL forbids.
    `extra`: lines of mosquitto.conf, such as `set_tcp_nodelay true` or `max_packet_size 1000`.
    """

    users: dict[str, str] = field(default_factory=dict)
    acl: tuple[str, ...] = ()
    tls: Certificates | None = None
    client_certificates: bool = False
    persistence: bool = False
    queued: int | None = 1_000_000
    extra: tuple[str, ...] = ()


class Broker:
    """A broker process and its ports; `folder` holds its configuration and log."""

    host = "127.0.0.1"

    def __init__(
        self,
        folder: Path,
        options: BrokerOptions = BrokerOptions(),
        *,
        kind: Kind | None = None,
    ) -> None:
        self.kind = kind or ("mosquitto" if has_mosquitto() else "embedded")
        self.port = free_port()
        self.websocket_port = free_port()
        self.tls_port = free_port() if options.tls else None
        self.options = options
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def speaks_mqtt5(self) -> bool:
        """Whether it accepts protocol version 5."""
        return self.kind == "mosquitto"

    @property
    def log(self) -> str:
        """What the broker has logged."""
        return (self._folder / "broker.log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The process id of the broker, which runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until the broker accepts connections; blocks."""
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                # The embedded broker ends with its input, so that it never outlives the tests.
                self._command(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        websockets = self.kind in ("mosquitto", "embedded")
        for port in (self.port, self.websocket_port if websockets else None, self.tls_port):
            if port is not None:
                self._wait_for(port)

    def stop(self) -> None:
        """End in good order; blocks."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End without a word to anybody; blocks."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop answering while the kernel keeps the connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for each in (how, signal.SIGCONT):
            _signal_all(process, each)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            _signal_all(process, signal.SIGKILL)
            process.wait()
        assert process.stdin is not None
        process.stdin.close()

    def _signal(self, what: signal.Signals) -> None:
        assert self._process is not None
        _signal_all(self._process, what)

    def _wait_for(self, port: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_PATIENCE
        while True:
            try:
                socket.create_connection((self.host, port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.kill()
                    raise RuntimeError(f"the broker did not start:\n{self.log}") from None
                time.sleep(0.02)
            else:
                return

    def _command(self) -> list[str]:
        match self.kind:
            case "mosquitto":
                return self._mosquitto()
            case "embedded":
                return self._embedded()
            case "aedes":
                return others.aedes(self.port)
            case "nats":
                return others.nats(self._folder, self.port, free_port())
            case "rabbitmq":
                return others.rabbitmq(self._folder, self.port, free_port(), free_port())

    def _embedded(self) -> list[str]:
        program = [sys.executable, "-W", "ignore", "-m", "bridge.demo.broker"]
        return [*program, str(self.port), str(self.websocket_port)]

    def _mosquitto(self) -> list[str]:
        options, folder = self.options, self._folder
        # Started by root it becomes another user, who could not read a test's folder.
        user = ["user root"] if os.geteuid() == 0 else []
        lines = [*user, "log_type all", f"listener {self.port} {self.host}"]
        lines += [f"listener {self.websocket_port} {self.host}", "protocol websockets"]
        if options.tls is not None:
            lines += [f"listener {self.tls_port} {self.host}"]
            lines += [f"cafile {options.tls.ca}", f"certfile {options.tls.cert}"]
            lines += [f"keyfile {options.tls.key}"]
            lines += ["require_certificate true"] if options.client_certificates else []
        lines += [f"allow_anonymous {'false' if options.users else 'true'}"]
        if options.users:
            passwords = folder / "passwords"
            passwords.write_text("".join(f"{n}:{p}\n" for n, p in options.users.items()))
            passwords.chmod(0o600)
            subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
            lines += [f"password_file {passwords}"]
        if options.acl:
            acl = folder / "acl"
            acl.write_text("\n".join(options.acl) + "\n")
            acl.chmod(0o600)
            lines += [f"acl_file {acl}"]
        if options.persistence:
            lines += ["persistence true", f"persistence_location {folder}/"]
        lines += [] if options.queued is None else [f"max_queued_messages {options.queued}"]
        lines += options.extra
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        return [mosquitto() or "mosquitto", "-c", str(folder / "mosquitto.conf")]


def _signal_all(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """The broker and what it has started, such as the shell's Erlang."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
