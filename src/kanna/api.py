"""One typed function per verb: what the command line calls, and what a script should.

Nothing here prints. Every function raises a `kanna.errors.KannaError` and leaves no output behind
when it fails.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kanna.disk import make_folder
from kanna.formats import open_model
from kanna.identify import identify
from kanna.identity import Identity

if TYPE_CHECKING:
    from kanna.engine import Progress, Result, RunOptions
    from kanna.model import ModelFile
    from kanna.ops.convert import Conversion
    from kanna.plan import Plan

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What `inspect` found: the identity, and what the container itself has to say."""

    identity: Identity
    model: ModelFile


def inspect(path: StrPath, *, compare_ema: bool = False) -> Inspection:
    """Say what a model file is, from its header.

    At most 4 KiB of named small tensors are read, unless `compare_ema` asks to compare the EMA
    with the model, which reads both. The returned model is closed: its header stays readable.

    Raises:
        FormatError: the file is broken.
        UnsafeFile: the file pretends to be of a safe format.
        Incomplete: there is no such file, or a shard is missing.
    """
    with open_model(path) as model:
        identity = identify(model)
        if compare_ema:
            identity = _with_comparison(model, identity)
        return Inspection(identity=identity, model=model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A conversion that was planned, and carried out unless it was only asked for a plan."""

    source: ModelFile
    before: Identity
    plan: Plan
    destination: Path
    result: Result | None


def convert(
    path: StrPath,
    destination: StrPath | None,
    wanted: Conversion,
    *,
    vae: StrPath | None = None,
    compare_ema: bool = False,
    dry_run: bool = False,
    options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Made:
    """Make `wanted` of the model at `path`, with the VAE of `vae` inside.

    `destination` is a file, or a folder in which the output gets its suggested name; None means
    the folder of the input.

    Raises:
        KannaError: whatever is wrong with the input, the request or the destination.
    """
    from contextlib import ExitStack

    from kanna.engine import RunOptions, run
    from kanna.ops.convert import convert as planned
    from kanna.ops.naming import destination as named
    from kanna.ops.naming import is_folder

    with ExitStack() as stack:
        model = stack.enter_context(open_model(path))
        identity = identify(model)
        if compare_ema:
            identity = _with_comparison(model, identity)
        baked = None
        if vae is not None:
            source = stack.enter_context(open_model(vae))
            baked = (source, identify(source))
        converted = planned(model, identity, wanted, baked)
        plan = converted.plan
        target = named(Path(path), destination, converted.tags, plan.container)
        result = None
        if not dry_run:
            if destination is not None and is_folder(destination):
                make_folder(target.parent)
            prove = converted.baked.prove if converted.baked else None
            result = run(plan, target, options=options or RunOptions(), progress=progress,
                         cancel=cancel, prove=prove)  # fmt: skip
        return Made(source=model, before=identity, plan=plan, destination=target, result=result)


def _with_comparison(model: ModelFile, identity: Identity) -> Identity:
    """Return the identity with the answer to whether the EMA equals the model."""
    from kanna.ops.ema import equal_to_model

    if not identity.ema.pairs:
        return identity
    equal = equal_to_model(model, identity.ema.pairs)
    return replace(identity, ema=replace(identity.ema, equal_to_model=equal))
