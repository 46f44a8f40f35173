"""Edits of a header, each struck down one step later: ``edited_run.py FOLDER SIGNAL``.

Every step of an edit that reaches the disk is one: a few bytes written, a sync, a name removed. A
child of this process makes each edit, in a folder called by the number of the step.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from pathlib import Path
from unittest.mock import patch

from kanna.api import set_metadata
from kanna.disk import undo
from striking import striking

NAME = "m.safetensors"
FIELDS = {"title": "new " * 30, "a.b": "y" * 90}
_BYTES = 47  # that a write takes at once


def strike(step: int, signal: int) -> None:
    """Let the process send itself `signal` when it comes to its `step`-th step."""
    counted = striking(step, signal)

    def write_some(fd: int, data: memoryview, offset: int) -> int:
        return os.pwrite(fd, data[:_BYTES], offset)

    patch.object(undo, "write_at", counted(write_some)).start()
    for name in ("sync", "sync_folder"):
        patch.object(undo, name, counted(getattr(undo, name))).start()
    patch.object(Path, "unlink", counted(Path.unlink)).start()


def edit(path: Path, step: int, signal: int) -> int:
    """Edit a file in a child that strikes itself down; return how the child ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            strike(step, signal)
            set_metadata(path, FIELDS)
            code = 0
        except BaseException as error:  # noqa: BLE001 - the child says it with its exit code
            code = getattr(error, "exit_code", 99)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: str, signal: str) -> None:
    for step in itertools.count(1):
        place = Path(folder, str(step))
        place.mkdir()
        shutil.copy(Path(folder, NAME), place)
        code = edit(place / NAME, step, int(signal))
        print(step, code)
        if code == 0:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
