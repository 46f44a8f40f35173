"""Filings struck down some steps later each: ``filed_run.py FOLDER SIGNAL VERB STRIDE [OTHER]``.

Every call that reaches a disk is a step. A child of this process files a set in a folder that is
called by the number of the step, and takes it elsewhere: in that folder, or in one below OTHER.
With a verb that ends in ``-far``, names cannot be given across folders, as between two disks.
"""

from __future__ import annotations

import errno
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from filing_sets import MODEL, write_set
from kanna.api import carry_out_filing, plan_filing, plan_unfiling
from striking import striking

CALLS = (
    "link", "rename", "replace", "unlink", "mkdir", "rmdir", "open", "write", "pwrite", "fsync",
    "posix_fallocate", "truncate", "utime", "fchmod", "symlink",
)  # fmt: skip


def far(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let a call fail between folders, as it does between disks."""

    def between(source: Any, destination: Any, **options: Any) -> Any:
        if Path(source).parent != Path(destination).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return call(source, destination, **options)

    return between


def no_links(*_: Any, **__: Any) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def separate() -> None:
    """Let every two folders be on different disks."""
    for name in ("link", "rename", "replace"):
        patch.object(os, name, far(getattr(os, name))).start()


def strike(wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    for name in CALLS:
        if hasattr(os, name):
            patch.object(os, name, wrap(getattr(os, name))).start()


def file_set(verb: str, place: Path, new: Path) -> int:
    """Do what `verb` says with the set in `place`; return 0, or the exit code of what went wrong."""
    library = place / "lib" / "library.sqlite3"
    word: Any = verb.partition("-")[0]
    if word == "undo":
        planned = plan_unfiling(library=library)
    else:
        planned = plan_filing(
            word, [place / "old" / MODEL], to=new if word in {"move", "copy"} else None,
            stem="new name" if word == "rename" else None, library=library,
        )  # fmt: skip
    for _, error in planned.refused:
        raise error
    made = carry_out_filing(planned, library=library)
    failed = [one.error for one in made.outcomes if one.error is not None]
    return failed[0].exit_code if failed else 0


def struck(verb: str, place: Path, new: Path, step: int, signal: int) -> int:
    """File a set in a child that strikes itself down; return how the child ended."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            if verb.endswith("-far"):
                separate()
            if verb.endswith("-bare"):
                patch.object(os, "link", no_links).start()
            strike(striking(step, signal))
            code = file_set(verb, place, new)
        except BaseException as error:  # noqa: BLE001 - the child says it with its exit code
            code = getattr(error, "exit_code", 99)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: str, signal: str, verb: str, stride: str, other: str = "") -> None:
    os.environ["XDG_DATA_HOME"] = str(Path(folder, "data"))
    for step in itertools.count(1, int(stride)):
        place = Path(folder, str(step))
        new = Path(other or folder, str(step), "new", "inner")
        write_set(place / "old")
        if verb.startswith("undo"):
            file_set("move", place, new)
        code = struck(verb, place, new, step, int(signal))
        print(step, code)
        if code == 0:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
