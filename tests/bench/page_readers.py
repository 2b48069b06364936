"""Open pages: ``python -m tests.bench.page_readers ADDRESS PATH COUNT`` reads and lets go.

Says *reading* once each has its first event, and at SIGTERM how many were cut off.
"""

import selectors
import signal
import socket
import sys

__all__: list[str] = []


def main() -> None:
    """Read until SIGTERM."""
    address, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    host, _, port = address.rpartition(":")
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    request = f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode()
    waiting: set[socket.socket] = set()
    cut_off = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            reader = socket.create_connection((host, int(port)))
            reader.sendall(request)
            waiting.add(reader)
            selector.register(reader, selectors.EVENT_READ)
        said = False
        while not ended:
            for key, _ in selector.select(0.2):
                reader = key.fileobj  # type: ignore[assignment]
                data = reader.recv(1 << 16)
                if not data:
                    selector.unregister(reader)
                    cut_off += 1
                if b"event: room" in data:
                    waiting.discard(reader)
            if not waiting and not said:
                said = True
                print("reading", flush=True)
    print(f"cut off: {cut_off}", flush=True)


if __name__ == "__main__":
    main()
