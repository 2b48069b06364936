"""``python -m bridge`` and the script ``hmp-bridge``."""

import sys

from . import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line; the version is answered without importing what it does not need."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"hmp-bridge {__version__}\n")
        return
    from .cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
