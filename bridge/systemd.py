"""Word to systemd (`sd_notify`): ready, stopping, and a line for ``systemctl status``."""

import os
import socket

__all__ = ["notify"]


def notify(*assignments: str) -> None:
    """Send assignments such as ``READY=1``; nothing happens outside ``Type=notify``."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # Linux' abstract namespace
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifier:
        notifier.connect(address)
        notifier.sendall("\n".join(assignments).encode())
