"""``python -m tests.fuzz``: run a target, or all of them, on made-up inputs."""

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
NAMES = sorted(path.name for path in CORPUS.iterdir())


def main() -> int:
    """Run as the arguments say; the exit code is not 0 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=[*NAMES, "all"])
    parser.add_argument("--seconds", type=int, default=20, help="how long each (%(default)s)")
    parser.add_argument("--runs", type=int, help="how many inputs each, instead")
    parser.add_argument("--keep", action="store_true", help="add to the corpus what is of use")
    given = parser.parse_args()
    length = f"-max_total_time={given.seconds}" if given.runs is None else f"-runs={given.runs}"
    if given.target != "all":
        _fuzz(given.target, length, keep=given.keep)

    def run(name: str) -> int:
        command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(given.seconds)]
        command += [] if given.runs is None else ["--runs", str(given.runs)]
        command += ["--keep"] if given.keep else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        last = [line for line in done.stderr.splitlines() if line.startswith("Done ")]
        print(name, *(last if done.returncode == 0 else [done.stderr]), flush=True)
        return done.returncode

    with ThreadPoolExecutor(2) as two:
        return max(two.map(run, NAMES))


def _fuzz(name: str, length: str, *, keep: bool) -> None:
    """In this process, which libFuzzer ends."""
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

    with atheris.instrument_imports(include=["bridge"]):
        from .targets import TARGETS
    os.environ.clear()  # no part of an input
    found = str(CORPUS / name) if keep else tempfile.mkdtemp()
    bounds = ["-max_len=4096", "-timeout=120", "-rss_limit_mb=1024", "-reduce_inputs=1"]
    atheris.Setup([sys.argv[0], found, str(CORPUS / name), length, *bounds], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
