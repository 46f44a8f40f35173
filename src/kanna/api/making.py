"""Files made of files: `convert`, and the demo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from kanna.api.reading import StrPath, identified
from kanna.disk import as_path
from kanna.engine import Progress, Result, RunOptions, rehearse, run
from kanna.families.configs import marker_names
from kanna.formats import open_model
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import ModelFile
from kanna.ops.convert import ConvertOptions, Planned
from kanna.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A conversion: planned, and carried out unless only the plan was asked for.

    `source` is the header of the input and `before` its identity. `memory` is the most bytes of
    buffers that carrying it out takes. `result` is None for a dry run.
    """

    source: ModelFile
    before: Identity
    plan: Plan
    destination: Path
    memory: int
    result: Result | None


def words(option: str) -> tuple[str, ...]:
    """Return the words that an option of `ConvertOptions` or `RunOptions` can have."""
    from kanna.engine.options import Verification
    from kanna.ops.convert import CHOICES

    known = {**CHOICES, "verify": get_args(Verification), "markers": marker_names()}
    return known[option]


def convert(
    path: StrPath,
    destination: StrPath | None,
    options: ConvertOptions,
    *,
    vae: StrPath | None = None,
    stem: str | None = None,
    protected: Iterable[StrPath] = (),
    compare_ema: bool = False,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Conversion:
    """Make what `options` ask for of the model at `path`, with the VAE of `vae` inside.

    `destination` is a file, whose suffix chooses the container, or a folder, in which the output
    is called `stem` or gets a suggested name; None means the folder of the input. `protected`
    names files that the output must not replace even with ``force``: the other inputs and outputs
    of a batch.

    Raises:
        KannaError: whatever is wrong with the input, the request or the destination.
    """
    from kanna.ops.convert import convert as plan_conversion
    from kanna.ops.naming import check_protected, container_of, is_folder
    from kanna.ops.naming import destination as named

    options = replace(options, container=container_of(destination, options.container))
    with ExitStack() as stack:
        model = stack.enter_context(open_model(path))
        identity = identified(model, compare_ema=compare_ema)
        baked = None
        if vae is not None:
            source = stack.enter_context(open_model(vae))
            baked = (source, identify(source))
        planned = plan_conversion(model, identity, options, baked)
        target = named(as_path(path), destination, planned.tags, planned.plan.container, stem)
        check_protected(target, [other for other in protected if Path(other) != Path(path)])
        make_folder = destination is not None and is_folder(destination)
        if dry_run:
            memory = rehearse(
                planned.plan, target, options=run_options, folder_will_be_made=make_folder
            )
            result = None
        else:
            with folder_for(target.parent, wanted=make_folder):
                result = run(planned.plan, target, options=run_options, progress=progress,
                             cancel=cancel, prove=_proof(planned))  # fmt: skip
            memory = result.memory
        return Conversion(source=model, before=identity, plan=planned.plan, destination=target,
                          memory=memory, result=result)  # fmt: skip


def check_names(paths: Sequence[StrPath], folder: StrPath | None) -> None:
    """Refuse inputs whose outputs would get the same suggested name in `folder`.

    Raises:
        UsageError: two of them would.
    """
    from kanna.ops.naming import check_distinct

    check_distinct(map(Path, paths), folder)


def make_demo(folder: StrPath, *, full: bool = False) -> tuple[Path, Path]:
    """Make a damaged checkpoint and a VAE to try things on, and return their paths.

    The checkpoint has the names and shapes of Stable Diffusion 1.5 in fp32 with EMA, 7.7 GB; its
    large tensors are holes in the file unless `full`.

    Raises:
        KannaError: they cannot be written, or are there already.
    """
    from kanna.demo import write_checkpoint, write_vae
    from kanna.disk import make_folder

    place = Path(folder)
    make_folder(place)
    model, vae = place / "my model.v1.5.ckpt", place / "vae.safetensors"
    write_checkpoint(model, full=full)
    write_vae(vae)
    return model, vae


@contextmanager
def folder_for(path: Path, *, wanted: bool) -> Iterator[None]:
    """Make the folder for an output where it is wanted; take it away again if the output fails."""
    from kanna.disk import make_folder

    new = wanted and not path.exists()
    if new:
        make_folder(path)
    try:
        yield
    except BaseException:
        if new:
            with suppress(OSError):
                path.rmdir()
        raise


def _proof(planned: Planned) -> Callable[[ModelFile], None] | None:
    return planned.baked.prove if planned.baked else None
