"""`kanna` and `python -m kanna`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line on ``sys.argv`` and leave with its exit code."""
    # A command is short and makes no garbage in cycles worth collecting: looking for some, now and
    # again at the end, would be a fifth of the time that `inspect` takes.
    gc.disable()
    try:
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # before anything was begun
        code = 130
    gc.freeze()
    sys.exit(code)


def _run(argv: list[str]) -> int:
    if argv == ["--version"]:
        from kanna import __version__

        sys.stdout.write(f"kanna {__version__}\n")
        return 0
    from kanna.cli import run

    return run(argv)


if __name__ == "__main__":
    main()
