"""One typed function per verb: what the command line calls, and what a script should.

Nothing here prints. Every function raises a `kanna.errors.KannaError`, and leaves no output behind
when it fails. Each is imported when it is first used: `inspect` does not pay for `convert`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanna.api.making import Conversion, check_names, convert, make_demo, words
    from kanna.api.reading import Inspection, inspect
    from kanna.engine import Progress, RunOptions
    from kanna.ops.convert import ConvertOptions

__all__ = [
    "Conversion",
    "ConvertOptions",
    "Inspection",
    "Progress",
    "RunOptions",
    "check_names",
    "convert",
    "inspect",
    "make_demo",
    "words",
]

_HOMES = {
    "kanna.api.making": ("Conversion", "check_names", "convert", "make_demo", "words"),
    "kanna.api.reading": ("Inspection", "inspect"),
    "kanna.engine": ("Progress", "RunOptions"),
    "kanna.ops.convert": ("ConvertOptions",),
}


def __getattr__(name: str) -> object:
    """Import what is asked for from its home."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(name)
