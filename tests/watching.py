"""What a process does while it reads a file: nothing but reading, or the watch has seen it."""

from __future__ import annotations

import os
import sys
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Watch:
    """Hears of every import, call, connection and write that Python reports while it is on.

    `seen` holds them. A hook cannot be taken off again: to be used in a process of its own.
    """

    def __init__(self, *harmless: str) -> None:
        self.seen: list[tuple[str, str]] = []
        self._harmless = {"builtins.id", *harmless}
        self._on = False
        sys.addaudithook(self._hear)

    def __enter__(self) -> None:
        self._on = True

    def __exit__(self, *_: object) -> None:
        self._on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on or event in self._harmless:
            return
        if event == "open" and not arguments[2] & _WRITES:
            return
        if event == "import" and arguments[0] in sys.modules:
            return
        self.seen.append((event, str(arguments)[:200]))
