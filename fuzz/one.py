"""Fuzz one target: ``python fuzz/one.py TARGET CORPUS… [libFuzzer options]``."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
with atheris.instrument_imports(include=["kanna", "yaml", "json", "tomllib"]):
    from fuzz_seeds import seeds
    from fuzz_targets import TARGETS

    for seed in seeds(sys.argv[1]):  # what is imported on use is then instrumented, too
        TARGETS[sys.argv[1]](seed)


def main() -> None:
    """Run the target that the first argument names until the options say that it is enough."""
    program, target, *options = sys.argv
    atheris.Setup([program, *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
