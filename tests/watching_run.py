"""A watched inbox in a process that strikes itself down: ``watching_run.py FOLDER STEP``."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from kanna import api

# whatever changes a name on the disk
CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"}


def options(folder: Path, *, dry_run: bool = False) -> api.WatchOptions:
    rules = folder / "rules.toml"
    rules.write_text('[vae]\ndtype = "fp16"\n', "utf-8")
    return api.WatchOptions(
        models=folder / "ui", rules=api.watch_rules(rules, None), rest=0, patience=0, once=True,
        dry_run=dry_run,
    )  # fmt: skip


def main(folder: Path, step: int) -> None:
    wanted = options(folder)
    steps = itertools.count(1)

    def strike(event: str, _arguments: object) -> None:
        if event in CHANGES and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(strike)
    list(api.watch_inbox(folder / "inbox", wanted))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
