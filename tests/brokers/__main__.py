"""``python -m tests.brokers``: the table of config/README.md, from the brokers installed here."""

import tempfile
from pathlib import Path

from . import Broker
from .conftest import KINDS
from .table import HEAD, row


def main() -> None:
    """Ask every broker everything, and print."""
    print(*HEAD, sep="\n")
    for kind, there in KINDS.items():
        if not there:
            continue
        with tempfile.TemporaryDirectory() as folder:
            broker = Broker(Path(folder), kind=kind)
            broker.start()
            try:
                print(row(broker))
            finally:
                broker.kill()


main()
