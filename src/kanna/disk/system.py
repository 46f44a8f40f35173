"""Which of the system's calls there are, and what the two halves share where one is missing."""

from __future__ import annotations

import os
import threading
from typing import Final

PLAIN: Final = os.environ.get("KANNA_DISK") == "plain" or not hasattr(os, "preadv")
CAN_MOVE: Final = not PLAIN and hasattr(os, "copy_file_range")
OPEN_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)  # fmt: skip
PLAIN_CHUNK: Final = 1 << 20

# Held from a seek to the read or write that follows it.
position = threading.Lock()
