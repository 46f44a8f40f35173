"""Runs a script in a process of its own, from a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]


def run_alone(script: str, folder: Path) -> str:
    """What `script` prints; it must not complain."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={"PYTHONPATH": f"{_TESTS}:{_TESTS.parent / 'src'}", "KANNA_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout
