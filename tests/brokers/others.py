"""Brokers that other people run, as commands: aedes, NATS and RabbitMQ, where they are installed.

- aedes: from npm; ``.ci/run`` puts it there.
- NATS: ``nats-server``, which the extra `brokers` brings.
- RabbitMQ: Debian's ``rabbitmq-server``. It takes ten seconds to start, so it takes part where
  ``HMP_BRIDGE_TEST_RABBITMQ=1``.
"""

import os
import shutil
import sys
from pathlib import Path

from tests.npm import AEDES, has_npm_package

__all__ = ["aedes", "installed", "nats", "nats_server", "rabbitmq"]

_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def installed() -> dict[str, bool]:
    """Every kind, and whether it takes part here."""
    asked_for = os.environ.get("HMP_BRIDGE_TEST_RABBITMQ") == "1"
    return {
        "aedes": has_npm_package(AEDES, "aedes"),
        "nats": nats_server() is not None,
        "rabbitmq": asked_for and _RABBITMQ.exists(),
    }


def aedes(port: int) -> list[str]:
    """The command that serves on `port`."""
    return ["node", str(Path(__file__).with_name("aedes.mjs")), str(AEDES), str(port)]


def nats(folder: Path, port: int, own_port: int) -> list[str]:
    """The same, with its streams in `folder`; `own_port` is for its own protocol.

    What it had handed to a connection that was ending comes again after `ack_wait`, 30 s by itself.
    """
    file = folder / "nats.conf"
    file.write_text(
        f'server_name = "one"\nlisten = "127.0.0.1:{own_port}"\n'
        f'jetstream {{ store_dir = "{folder}/streams" }}\n'
        f'mqtt {{ listen = "127.0.0.1:{port}", ack_wait = "2s" }}\n',
        encoding="utf-8",
    )
    return [nats_server() or "nats-server", "-c", str(file)]


def rabbitmq(folder: Path, port: int, own_port: int, distribution_port: int) -> list[str]:
    """The same, as a node of its own below `folder`."""
    (folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n", encoding="utf-8")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.default = 127.0.0.1:{own_port}\n"
        f"mqtt.listeners.tcp.default = 127.0.0.1:{port}\nmqtt.allow_anonymous = true\n",
        encoding="utf-8",
    )
    settings = {
        "HOME": folder,
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_DIST_PORT": distribution_port,
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_LOG_BASE": folder / "log",
        "RABBITMQ_CONFIG_FILE": folder / "rabbitmq.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "enabled_plugins",
        "RABBITMQ_PID_FILE": folder / "pid",
    }
    return ["env", *(f"{name}={value}" for name, value in settings.items()), str(_RABBITMQ)]


def nats_server() -> str | None:
    """Path of the installed one."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("nats-server", path=f"{beside}:{os.environ.get('PATH', '')}")
