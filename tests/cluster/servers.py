"""Real etcd servers as subprocesses on free loopback ports, one or several that are one store."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.brokers import Certificates, free_port
from tests.process.watched import PATIENCE

__all__ = ["Member", "Members", "etcdctl", "need_etcd"]

_LOOKS_EVERY = 0.05


def need_etcd() -> None:
    """Skip the test where etcd is not installed; on CI that is a mistake of the set-up."""
    if shutil.which("etcd") and shutil.which("etcdctl"):
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError("CI=true, and etcd is not installed: install etcd-server")
    pytest.skip("needs etcd: apt install etcd-server etcd-client")


@dataclass
class Member:
    """One server; `tls`: it wants a certificate of that authority from its clients too."""

    name: str
    folder: Path
    tls: Certificates | None = None
    port: int = field(default_factory=free_port)
    peer_port: int = field(default_factory=free_port)
    #: The URL by which the others know it, where that is not the one at which it listens.
    advertised: str = ""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The URL of the server."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def listens_to_peers(self) -> str:
        """The URL at which it hears the others."""
        return f"http://127.0.0.1:{self.peer_port}"

    @property
    def peer(self) -> str:
        """The URL by which the others know it."""
        return self.advertised or self.listens_to_peers

    def launch(self, cluster: str) -> None:
        """Start it, or start it again; `Members.wait` tells when it can be asked."""
        options = {
            "name": self.name,
            "data-dir": self.folder / self.name,
            "listen-client-urls": self.endpoint,
            "advertise-client-urls": self.endpoint,
            "listen-peer-urls": self.listens_to_peers,
            "initial-advertise-peer-urls": self.peer,
            "initial-cluster": cluster,
            "heartbeat-interval": 50,
            "election-timeout": 500,
        }
        if self.tls is not None:
            options |= {
                "cert-file": self.tls.cert,
                "key-file": self.tls.key,
                "trusted-ca-file": self.tls.ca,
                "client-cert-auth": "true",
            }
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["etcd", *(f"--{name}={value}" for name, value in options.items())],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """End it without a word to anybody; blocks."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Have it answer nothing while its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class Members:
    """The members of one store, by number."""

    def __init__(self, folder: Path, count: int = 1, tls: Certificates | None = None) -> None:
        self._members = [Member(f"m{number}", folder, tls) for number in range(count)]

    def __getitem__(self, number: int) -> Member:
        return self._members[number]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The URLs of all."""
        return tuple(each.endpoint for each in self._members)

    def start(self, *numbers: int) -> None:
        """Start these, or all, and wait until each can be asked; blocks."""
        chosen = [self._members[number] for number in numbers] or self._members
        cluster = ",".join(f"{each.name}={each.peer}" for each in self._members)
        for member in chosen:
            member.launch(cluster)
        for member in chosen:
            self.wait(member)

    def wait(self, member: Member) -> None:
        """Return when it answers a question that a majority has to agree to; blocks."""
        deadline = time.monotonic() + PATIENCE
        while etcdctl(member, "get", "nothing", check=False) is None:
            if time.monotonic() > deadline:
                log = member.folder / f"{member.name}.log"
                raise RuntimeError(f"etcd did not start:\n{log.read_text()[-3000:]}")
            time.sleep(_LOOKS_EVERY)

    @contextmanager
    def running(self) -> Iterator["Members"]:
        """All of them, until the end."""
        try:
            self.start()
            yield self
        finally:
            for member in self._members:
                member.kill()


def etcdctl(member: Member, *arguments: str, check: bool = True) -> str | None:
    """What etcd's own client says; None where it fails and need not be right."""
    tls = member.tls
    trust = [] if tls is None else [f"--cacert={tls.ca}", f"--cert={tls.cert}", f"--key={tls.key}"]
    done = subprocess.run(
        ["etcdctl", f"--endpoints={member.endpoint}", *trust, *arguments],
        env=os.environ | {"ETCDCTL_API": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return done.stdout
    if check:
        raise RuntimeError(f"etcdctl {' '.join(arguments)}: {done.stderr}")
    return None
