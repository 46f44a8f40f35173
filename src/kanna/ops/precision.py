"""Which dtype each output gets: one for all, or one by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kanna.dtypes import DType
from kanna.errors import Incompatible
from kanna.formats.ggml_types import BlockType
from kanna.formats.gguf_foreign import decoded
from kanna.identity import Part
from kanna.messages import say
from kanna.ops.draft import Draft
from kanna.plan import Copy, Output, WeightedSum


def set_precision(
    draft: Draft, default: DType | None, by_role: Mapping[str, DType], *, strict: bool
) -> None:
    """Give every floating tensor its dtype: that of its part in `by_role`, else `default`.

    Integers, markers, schedules and position ids keep theirs. A quantised part cannot be cast
    without its scales: `strict` makes that an error, else the part is left as it is. The blocks of
    a GGUF have theirs inside and are numbers like others.

    Raises:
        Incompatible: a quantised part would have to be cast.
        MissingExtra: blocks can only be read with the ``gguf`` package.
    """
    quantised = _quantised_names(draft, default, by_role, strict=strict)
    changed = 0
    for name, output in draft.outputs.items():
        target = by_role.get(draft.roles.get(name, ""), default)
        if target is None or name in draft.fixed or name in quantised:
            continue
        if _castable(output) and output.dtype is not target:
            draft.outputs[name] = _cast(output, target)
            changed += 1
    _tell(draft, default, by_role, changed)


def _castable(output: Output) -> bool:
    number = output.dtype.is_float or isinstance(output.dtype, BlockType)
    return number and isinstance(output.op, Copy | WeightedSum)


def _cast(output: Output, dtype: DType) -> Output:
    """Return an output in another dtype; the sum of a merge is rounded to it right away."""
    if isinstance(output.op, WeightedSum):
        return replace(output, dtype=dtype)
    inputs = tuple(map(decoded, output.inputs))
    return Output(output.name, dtype, output.shape, WeightedSum(), inputs)


def _quantised_names(
    draft: Draft, default: DType | None, by_role: Mapping[str, DType], *, strict: bool
) -> set[str]:
    names: set[str] = set()
    for part in draft.identity.parts:
        if not part.scaled or _in_blocks(draft, part):
            continue
        if by_role.get(part.role, default) is None:
            continue
        told = {"part": say(f"inspect.part_{part.role}"), "scheme": part.quantization}
        if strict:
            raise Incompatible("convert.quantised", path=draft.model.path, **told)
        names.update(part.names)
        draft.note("convert.quantised_kept", warning=True, **told)
    return names


def _in_blocks(draft: Draft, part: Part) -> bool:
    held = (draft.outputs[name] for name in part.names if name in draft.outputs)
    return any(isinstance(output.dtype, BlockType) for output in held)


def _tell(draft: Draft, default: DType | None, by_role: Mapping[str, DType], changed: int) -> None:
    if default is None and not by_role:
        return
    draft.done["dtype"] = {
        **({"all": default.word} if default else {}),
        **{role: dtype.word for role, dtype in by_role.items()},
    }
    draft.tags[:0] = _tags(draft, default, by_role)
    if changed:
        draft.note("convert.cast", count=changed)


def _tags(draft: Draft, default: DType | None, by_role: Mapping[str, DType]) -> list[str]:
    """Return the dtypes that the output's name should tell: of those asked for, what is in it."""
    there = {output.dtype for output in draft.outputs.values()}
    if default in there:
        return [default.word]
    return sorted({dtype.word for dtype in by_role.values() if dtype in there})
