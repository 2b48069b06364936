"""A real broker as a process, with its sessions and retained messages kept over restarts."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import trio

__all__ = ["Mosquitto"]


@dataclass(slots=True)
class Mosquitto:
    """mosquitto on one port of loopback; its files are in `folder`.

    A round's faults may overlap: one that comes while another starts or ends the broker waits. A
    mosquitto that starts dies of any signal without a word, and one that ends has its port still.
    """

    folder: Path
    port: int
    _process: trio.Process | None = None
    _one_at_a_time: trio.Lock = field(default_factory=trio.Lock, repr=False)

    async def start(self) -> None:
        """Start, and wait until it runs."""
        async with self._one_at_a_time:
            if self._process is None:
                await self._start()

    async def terminate(self) -> None:
        """End it in good order: nothing that it has acknowledged is lost."""
        async with self._one_at_a_time:
            await self._end(signal.SIGTERM)

    async def kill(self, *, keep_store: bool) -> None:
        """SIGKILL, with what it had on disk a moment before, or without its store."""
        async with self._one_at_a_time:
            await self._kill(keep_store=keep_store)

    async def _start(self) -> None:
        configuration = self.folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {self.folder}/",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            *(["user root"] if os.geteuid() == 0 else []),
        ]
        configuration.write_text("\n".join(lines) + "\n")
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
        program = shutil.which("mosquitto", path=path)
        if program is None:
            raise RuntimeError("mosquitto is not installed")
        log = self.folder / "mosquitto.log"
        with log.open("ab") as output:
            self._process = await trio.lowlevel.open_process(
                [program, "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        with trio.fail_after(15):
            while not await self._hangs_up():
                if self._process.poll() is not None:
                    raise RuntimeError(f"mosquitto has ended ({self._process.returncode}): {log}")
                await trio.sleep(0.02)

    async def _kill(self, *, keep_store: bool) -> None:
        if self._process is None:
            return
        if keep_store:
            before = self._stored_at()
            self._process.send_signal(signal.SIGUSR1)  # mosquitto: write the store now
            # Killed earlier it would come back with an older store, or with none at all.
            with trio.move_on_after(5):
                while self._stored_at() == before:  # noqa: ASYNC110 - another process writes it
                    await trio.sleep(0.01)
        await self._end(signal.SIGKILL)
        if not keep_store:
            (self.folder / "mosquitto.db").unlink(missing_ok=True)

    def _stored_at(self) -> int | None:
        store = self.folder / "mosquitto.db"
        return store.stat().st_mtime_ns if store.exists() else None

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        with trio.move_on_after(10, shield=True) as patience:
            await process.wait()
        if patience.cancelled_caught:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()

    async def _hangs_up(self) -> bool:
        """Whether it ends a connection that is over: a sign that it minds its signals too.

        That a connection is taken is none, and "running" in its log comes a moment too soon.
        """
        with suppress(OSError, trio.BrokenResourceError):
            stream = await trio.open_tcp_stream("127.0.0.1", self.port)
            async with stream:
                await stream.send_eof()
                return await stream.receive_some() == b""
        return False
