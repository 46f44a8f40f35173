"""A process that strikes itself down at a step of its work."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

Call = Callable[..., Any]


def striking(step: int, signal: int) -> Callable[[Call], Call]:
    """Return what makes a call one of the steps: at the `step`-th the process gets `signal`."""
    steps = itertools.count(1)

    def counted(call: Call) -> Call:
        def once(*arguments: Any, **options: Any) -> Any:
            if next(steps) == step:
                os.kill(os.getpid(), signal)
            return call(*arguments, **options)

        return once

    return counted
