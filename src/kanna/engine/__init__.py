"""The one engine: it streams any plan into one verified file.

::

    job.run ─ prepare   the plan checked, its file laid out
            │   └ work      and cut into items of a few megabytes, in output order
            ├ staging   the temporary file: destination checked, space set aside, published whole
            ├ stream    threads: read → compute → write; bounded buffers, handed out in order
            │   ├ compute   one piece: the op applied to its inputs
            │   │   └ encode    a piece of a quantised tensor; four_bit those of bitsandbytes
            │   ├ measure   what quantising must know of a whole tensor, made by all workers
            │   ├ clipping  what is too large for fp8
            │   ├ compare   how far the numbers moved
            │   ├ checksums CRC-32 of each output, put together from its pieces
            │   └ digest    one thread behind them: SHA-256, in file order
            ├ accidents what overflowed, by name
            ├ verify    the output re-opened with our own reader and compared with the plan
            └ meter     progress and cancellation
    together.run_together  several plans abreast, with one pass over their inputs
    group.run_group     several plans and small files, published together or not at all
    rewriting.rewrite   another header for a file, in place where it fits (new_header plans it)
    small.publish       the same care for a small file beside a model
"""

from __future__ import annotations

from kanna.engine.group import rehearse_group, run_group
from kanna.engine.job import rehearse, run
from kanna.engine.options import Progress, Result, RunOptions
from kanna.engine.small import publish, rehearse_publish
from kanna.engine.staging import remove_leftovers
from kanna.engine.together import run_together

__all__ = [
    "Progress", "Result", "RunOptions", "publish", "rehearse", "rehearse_group", "rehearse_publish",
    "remove_leftovers", "run", "run_group", "run_together",
]  # fmt: skip
