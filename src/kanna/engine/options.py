"""What a run is asked, what it tells on the way, and what it answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from kanna.errors import UsageError
from kanna.kernel import Comparison, Counts

Verification = Literal["header", "full"]

_MOST_THREADS: Final = 4  # the disk is busy by then


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run a plan.

    `force` replaces an existing destination. `allow_overflow` publishes even if numbers were too
    large for their dtype or became NaN. `verify` re-opens the output before it is published: its
    ``header``, or in ``full`` also every byte. `threads` is None for ``KANNA_THREADS``, else one
    per core up to four.
    """

    force: bool = False
    allow_overflow: bool = False
    verify: Verification = "header"
    threads: int | None = None

    def thread_count(self, most: int = _MOST_THREADS) -> int:
        """Return how many threads to use: one per core, up to `most`, unless somebody says so.

        Raises:
            UsageError: it is no positive number.
        """
        usual = os.environ.get("KANNA_THREADS") or min(_cores(), most)
        wanted = usual if self.threads is None else self.threads
        if not str(wanted).isdecimal() or int(wanted) < 1:
            raise UsageError("engine.threads", threads=wanted)
        return int(wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: bytes read, written and verified, the seconds since it began, the rest.

    `speed` is in bytes per second; `eta`, in seconds, is None while nothing is known.
    """

    bytes_done: int
    bytes_total: int
    seconds: float
    speed: float
    eta: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished run: the file, what it took, and what happened to the numbers.

    `digest` is the SHA-256 of the tensor data in file order, if the plan or the verification
    needed it. `memory` is the most bytes of buffers that the run could take. `counts` are by output
    name, where anything was counted, and `losses` where the plan asks to compare.
    """

    path: Path
    size: int
    bytes_read: int
    memory: int
    seconds: float
    digest: str | None
    verified: Verification
    counts: Mapping[str, Counts]
    losses: Mapping[str, Comparison] = field(default_factory=dict)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
