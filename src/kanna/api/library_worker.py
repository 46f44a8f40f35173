"""A process that reads files for a scan: a line for each on stdin, a line for each on stdout.

A file that ends the process takes nothing else with it.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kanna.api.library_reading import read_image, read_model
from kanna.messages import set_language

if TYPE_CHECKING:
    from kanna.identify.layouts import Layouts

_BETWEEN: Final = 200  # files; collecting after each would be a tenth of the time


def main(language: str) -> None:
    """Answer until there are no more lines; Ctrl-C is for the process that asks."""
    from kanna.identify.layouts import Layouts

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_language(language)
    gc.disable()
    layouts = Layouts()
    for count, line in enumerate(sys.stdin.buffer):
        table, path = json.loads(line)
        answer = json.dumps(read(table, path, layouts), separators=(",", ":"))
        try:
            sys.stdout.buffer.write(answer.encode() + b"\n")
            sys.stdout.buffer.flush()
        except OSError:  # nobody listens any more
            return
        if count % _BETWEEN == 0:
            gc.collect()


def read(table: str, path: str, layouts: Layouts) -> dict[str, Any]:
    """Return the row of one file, as JSON holds it."""
    if table == "image":
        return read_image(Path(path)).to_json()
    return read_model(Path(path), layouts).to_json()
