"""Run every fuzz target: ``make fuzz``, or ``python fuzz/run.py [--runs N] [--keep] [TARGET…]``.

Each target runs in a process of its own, from the seeds of the tests and what earlier runs found.
With ``--keep`` the inputs that reach new code are written into the tests' corpus.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fuzz_seeds import CORPUS, found, seeds  # noqa: E402 - the tests are no package
from fuzz_targets import TARGETS  # noqa: E402 - the same

WORK = ROOT / ".fuzz"
_LONGEST_KEPT = 1024
_MOST_KEPT = 60


def main() -> int:
    """Fuzz what is asked for and print a table; return 1 if anything crashed or hung."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500_000)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    options = parser.parse_args()
    failed, total = [], 0
    for target in options.targets:
        runs, seconds, code = fuzz(target, options.runs)
        total += runs
        print(f"{target:12} {runs:>10,} runs  {seconds:>5} s  {'ok' if not code else 'FAILED'}")
        failed += [target] * bool(code)
    print(f"{'all':12} {total:>10,} runs")
    if options.keep:
        keep(options.targets)
    return int(bool(failed))


def fuzz(target: str, runs: int) -> tuple[int, int, int]:
    """Run one target; return how many inputs it saw, the seconds, and the exit code."""
    corpus = WORK / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (corpus / f"seed-{number:04}").write_bytes(data)
    command = [
        sys.executable, str(ROOT / "fuzz" / "one.py"), target, str(corpus), f"-runs={runs}",
        "-timeout=10", "-rss_limit_mb=2048", "-max_len=16384", f"-artifact_prefix={WORK}/{target}-",
        "-print_final_stats=1",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        print(done.stderr[-4000:], file=sys.stderr)
    counted = re.search(r"Done (\d+) runs in (\d+) second", done.stderr)
    return (int(counted[1]), int(counted[2]), done.returncode) if counted else (0, 0, 1)


def keep(targets: list[str]) -> None:
    """Write some of the short inputs that each reached new code into the tests' corpus."""
    kept = {name: [b64encode(data).decode() for data in every] for name, every in found().items()}
    for target in targets:
        reached = {path.read_bytes() for path in (WORK / target).iterdir()}
        short = sorted((data for data in reached if len(data) <= _LONGEST_KEPT), key=_order)
        some = short[:: max(1, -(-len(short) // _MOST_KEPT))]
        kept[target] = [b64encode(data).decode() for data in some]
    text = json.dumps(kept, indent=0, sort_keys=True).encode()
    CORPUS.write_bytes(gzip.compress(text, mtime=0))


def _order(data: bytes) -> tuple[int, bytes]:
    return len(data), data


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": "0"}


if __name__ == "__main__":
    sys.exit(main())
