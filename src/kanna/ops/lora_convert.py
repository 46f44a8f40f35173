"""A LoRA in another dialect, as a plan: tensors renamed, joined or cut apart, metadata right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kanna.dtypes import DType
from kanna.errors import UsageError
from kanna.families import family
from kanna.identity import Identity
from kanna.lora.dialects import Dialect
from kanna.lora.reading import Contents, read
from kanna.lora.writing import Spelled, dialect_called, named
from kanna.model import ModelFile, Note, TensorInfo
from kanna.ops.casting import dtype_called
from kanna.ops.lora_metadata import of_conversion
from kanna.plan import Output, Plan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Respelled:
    """The plan of a LoRA in another dialect, and how many modules it had and has."""

    plan: Plan
    dialect: Dialect
    before: int
    after: int
    kinds: Mapping[str, int]


def respell(
    model: ModelFile,
    identity: Identity,
    dialect: str,
    *,
    architecture: str | None = None,
    dtype: str | None = None,
    skip_unknown: bool = False,
    digest: bool = True,
) -> Respelled:
    """Return the plan that writes the LoRA `model` as `dialect`.

    `architecture` is that of its base, where the file does not tell. Factors are copied, unless a
    `dtype` is asked for.

    Raises:
        UsageError: there is no such dialect, architecture or dtype.
        Incompatible: it is no LoRA, or it cannot be spelled so.
        FormatError: the file does not hold what its header says.
    """
    target = dialect_called(dialect)
    if architecture is not None and family(architecture) is None:
        raise UsageError("lora_convert.no_such_architecture", word=architecture)
    contents = read(model, identity, skip_unknown=skip_unknown)
    known = architecture or identity.architecture
    spelled = named(contents.modules, dialect, known)
    wanted = dtype_called(dtype) if dtype else None
    outputs = tuple(_output(tensor, wanted) for tensor in spelled.tensors.values())
    step = {"verb": "lora convert", "input": model.path.name, "to": dialect}
    if dtype:
        step["dtype"] = dtype
    metadata = of_conversion(model.metadata, replace(identity, architecture=known), spelled,
                             target, step, digest=digest)  # fmt: skip
    notes = (*model.notes, *contents.notes, *_notes(contents, spelled, target), *metadata.notes)
    plan = Plan(
        outputs=outputs, container="safetensors", inputs=(model,), metadata=metadata.fields,
        digest_fields=metadata.digest_fields, notes=notes,
    )  # fmt: skip
    kinds = Counter[str](module.kind for module in contents.modules)
    return Respelled(plan=plan, dialect=target, before=len(contents.modules),
                     after=len(spelled.modules), kinds=dict(kinds))  # fmt: skip


def _output(tensor: TensorInfo, dtype: DType | None) -> Output:
    """Return a tensor as it is, or cast; alphas and what is no number keep their dtype."""
    if dtype is None or not tensor.shape or not tensor.dtype.is_float:
        return Output.of(tensor)
    return Output.of(tensor, dtype=dtype)


def _notes(contents: Contents, spelled: Spelled, dialect: Dialect) -> Iterator[Note]:
    """Yield what a person should know of the spelling."""
    if spelled.metadata:
        yield Note("lora_convert.alpha_in_metadata", {"dialect": dialect.title})
    before, after = len(contents.modules), len(spelled.modules)
    if after != before:
        yield Note("lora_convert.regrouped", {"before": before, "after": after}, warning=False)
    if contents.strangers:
        left = {"count": len(contents.strangers), "name": contents.strangers[0]}
        yield Note("lora_convert.left_out", left)
