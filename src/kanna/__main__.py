"""`kanna` and `python -m kanna`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line on ``sys.argv`` and leave with its exit code."""
    from kanna.cli import run  # noqa: PLC0415  (keeps `import kanna.__main__` free of the CLI)

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
