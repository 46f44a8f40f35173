"""A LoRA in the dialect of another program: `lora_convert`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kanna.api.making import folder_for
from kanna.api.reading import StrPath, identified
from kanna.disk import as_path
from kanna.engine import Progress, Result, RunOptions, rehearse, run
from kanna.formats import open_model
from kanna.identity import Identity
from kanna.ops.lora_convert import Respelled, respell


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraConversion:
    """A LoRA in another dialect: planned, and written unless only the plan was asked for.

    `memory` is the most bytes of buffers that writing it takes; `result` is None for a dry run.
    """

    path: Path
    before: Identity
    respelled: Respelled
    destination: Path
    memory: int
    result: Result | None = None


def lora_convert(
    path: StrPath,
    destination: StrPath | None,
    dialect: str,
    *,
    architecture: str | None = None,
    dtype: str | None = None,
    skip_unknown: bool = False,
    digest: bool = True,
    protected: Iterable[StrPath] = (),
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> LoraConversion:
    """Write the LoRA at `path` as `dialect`: ``kohya``, ``comfy``, ``diffusers``, ``peft``.

    `destination` is a safetensors file, or a folder for a suggested name; None is the folder of the
    input. `architecture` is that of the LoRA's base, where the file does not tell. No number
    changes unless a `dtype` is asked for. `protected` names files that must not be replaced.

    Raises:
        KannaError: whatever is wrong with the LoRA, the request or the destination.
    """
    from kanna.ops.naming import check_protected, container_of, is_folder
    from kanna.ops.naming import destination as named

    container_of(destination, "safetensors")
    with open_model(path) as model:
        identity = identified(model, compare_ema=False)
        made = respell(model, identity, dialect, architecture=architecture, dtype=dtype,
                       skip_unknown=skip_unknown, digest=digest)  # fmt: skip
        target = named(as_path(path), destination, (dialect,), "safetensors")
        check_protected(target, [other for other in protected if Path(other) != Path(path)])
        new = destination is not None and is_folder(destination)
        memory = rehearse(made.plan, target, options=run_options, folder_will_be_made=new)
        result = None
        if not dry_run:
            with folder_for(target.parent, wanted=new):
                result = run(made.plan, target, options=run_options, progress=progress,
                             cancel=cancel)  # fmt: skip
        return LoraConversion(
            path=as_path(path), before=identity, respelled=made, destination=target,
            memory=result.memory if result else memory, result=result,
        )  # fmt: skip
