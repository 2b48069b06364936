"""A machine of the tests' own: systemd as process 1 of its namespaces, on a copy of a system.

What it writes goes to memory and is gone with it: its root is an overlay above the system, which is
this one, or a tree of another. It has the network of this machine, so that what listens on its
loopback can be reached.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["Machine", "why_not"]

PATIENCE = 90.0
"""Seconds until systemd must have started, and for whatever is run in the machine by default."""

_ALL_NAMESPACES = ("-m", "-p", "-i", "-u", "-C", "-r", "-w")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_START = """\
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs {folder}
mkdir {folder}/upper {folder}/work {folder}/tree
mount -t overlay overlay \\
  -o lowerdir={system},upperdir={folder}/upper,workdir={folder}/work {folder}/tree
cd {folder}/tree
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mkdir -p etc/systemd/journald.conf.d
printf '[Journal]\\nStorage=volatile\\n' >etc/systemd/journald.conf.d/tests.conf
# Not chroot: who has changed its root so may make no user namespaces, as PrivateUsers= does.
pivot_root . mnt
umount -l /mnt
# As on a real machine; credentials come to the service that way.
mount --make-rshared /
exec env -i container=other PATH={path} \
  /lib/systemd/systemd --log-target=journal --show-status=no --unit=basic.target
"""


def why_not() -> str | None:
    """Why there can be no such machine here; None where there can."""
    if os.geteuid() != 0:
        return "needs root, for namespaces and an overlay"
    tools = [name for name in ("unshare", "nsenter", "systemctl") if shutil.which(name) is None]
    if tools or not Path("/lib/systemd/systemd").exists():
        return f"needs systemd, unshare and nsenter; missing: {', '.join(tools) or 'systemd'}"
    trial = "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && "
    trial += "mount -t overlay o -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "sh", "-c", trial],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"


class Machine:
    """Started when made; `folder` is where its root is mounted, and holds its console's output.

    `system` is the root of the system that it has a copy of.
    """

    def __init__(self, folder: Path, system: Path = Path("/")) -> None:
        self._console = folder / "console"
        root = folder / "machine"
        root.mkdir()
        start = _START.format(folder=root, system=system, path=_PATH)
        with self._console.open("wb") as console:
            self._outer = subprocess.Popen(
                [
                    *("unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup"),
                    *("--kill-child", "sh", "-c", start),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._first = self._first_process()
        question = ("systemctl", "is-system-running", "--wait")
        while self.run(*question, check=False).strip() not in ("running", "degraded"):
            time.sleep(0.1)

    def _first_process(self) -> int:
        """The number, outside, of systemd; raises `RuntimeError` where it does not come up."""
        deadline = time.monotonic() + PATIENCE
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        while time.monotonic() < deadline and self._outer.poll() is None:
            for child in children.read_text(encoding="ascii").split():
                command = Path(f"/proc/{child}/cmdline").read_bytes()
                if command.startswith(b"/lib/systemd/systemd"):
                    return int(child)
            time.sleep(0.05)
        self.close()
        raise RuntimeError(f"systemd did not start:\n{self._console.read_text(errors='replace')}")

    def run(
        self, *command: str, check: bool = True, give: str | bytes = "", timeout: float = PATIENCE
    ) -> str:
        """What a command says that root runs in the machine; `give` is its input.

        Raises `AssertionError`, with what it said, when it fails and `check`; `TimeoutExpired`.
        """
        done = subprocess.run(
            ["nsenter", f"--target={self._first}", *_ALL_NAMESPACES, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            input=give.encode() if isinstance(give, str) else give,
            check=False,
            timeout=timeout,
            env=os.environ | {"PATH": _PATH},
        )
        said = done.stdout.decode(errors="replace")
        assert not check or done.returncode == 0, f"{command}: {said}"
        return said

    def write(self, path: str, text: str) -> None:
        """A file of the machine, its folders made, readable by all."""
        self.run("install", "-D", "-m", "644", "/dev/stdin", path, give=text)

    def bring(self, folder: Path, names: Iterable[str], target: str) -> None:
        """Copy files and folders of a folder outside into one of the machine, which is made."""
        packed = subprocess.run(
            ["tar", "-C", folder, "-c", *names], stdout=subprocess.PIPE, check=True
        ).stdout
        self.run("mkdir", "-p", target)
        self.run("tar", "-C", target, "--no-same-owner", "-x", give=packed)

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--property", name, "--value", unit).strip()

    def wait_for(self, unit: str, name: str, *parts: str) -> str:
        """Until that property has all of `parts` in it; its value."""
        deadline = time.monotonic() + PATIENCE
        while not all(part in (value := self.show(unit, name)) for part in parts):
            if time.monotonic() > deadline:
                log = self.run("journalctl", "--no-pager", "-u", unit, "-n", "40")
                raise AssertionError(f"{name} of {unit} is {value!r}, not {parts}\n{log}")
            time.sleep(0.1)
        return value

    def signal(self, unit: str, name: str) -> None:
        """Send a signal to the main process of the unit."""
        self.run("systemctl", "kill", "--kill-whom=main", f"--signal={name}", unit)

    def log(self, unit: str) -> str:
        """Everything that the unit has logged."""
        return self.run("journalctl", "--no-pager", "--output=cat", "-u", unit)

    def close(self) -> None:
        """End it at once, with everything that runs in it."""
        with suppress(ProcessLookupError):
            os.killpg(self._outer.pid, signal.SIGKILL)
        self._outer.wait()
