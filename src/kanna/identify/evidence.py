"""The sentences that say how a verdict was reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanna.families import title
from kanna.identify.likeness import likenesses
from kanna.identify.quantization import unmarked
from kanna.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kanna.adapter import Adapter
    from kanna.families import Component
    from kanna.families.keys import Shape
    from kanna.identify.anatomy import Anatomy
    from kanna.identify.recognise import Found
    from kanna.identify.verdict import Verdict
    from kanna.identity import Part
    from kanna.model import ModelFile


def tell_parts(verdict: Verdict, found: Iterable[Found], parts: Sequence[Part]) -> None:
    """Say of each part on what it was recognised."""
    for one, part in zip(found, parts, strict=False):
        what, where = _called(one.row), _place(one)
        if not one.listed:
            verdict.tell("signature", what=what, count=len(one.known), where=where)
        elif one.complete:
            verdict.tell("complete", what=what, count=len(one.known), where=where)
        else:
            verdict.tell("partial", what=what, count=one.right, missing=len(one.missing),
                         wrong=one.wrong, where=where)  # fmt: skip
        if part.quantization:
            verdict.tell("quantized", scheme=part.quantization)


def tell_quantization(verdict: Verdict, anatomy: Anatomy) -> None:
    """Say which types a part of several block types mixes, and where scales lack their marker."""
    for part in anatomy.parts:
        shares = sorted(part.dtypes.items(), key=lambda pair: -pair[1])
        if part.quantization and part.quantization.startswith("gguf") and len(shares) > 1:
            told = ", ".join(f"{word} {nbytes / part.bytes:.1%}" for word, nbytes in shares)
            verdict.tell("types", what=told)
    if count := unmarked(anatomy.beside):
        verdict.tell("unmarked_scales", count=count)


def tell_base(verdict: Verdict, part: Part, adapter: Adapter) -> None:
    """Say how the base of an adapter is known, or that it is not."""
    what = titles(part.architecture_candidates)
    if not what:
        verdict.tell("adapter_no_base")
    elif adapter.mixed:
        verdict.tell("adapter_mixed", what=what)
    elif adapter.fitting:
        verdict.tell("adapter_fits", count=adapter.fitting, what=what)


def tell_near(verdict: Verdict, close: Sequence[Found], shapes: Mapping[str, Shape]) -> None:
    """Say what an unknown file of such tensors comes close to or, where to nothing, resembles."""
    if verdict.diffusion:
        return
    if verdict.several:
        verdict.tell("mixture", what=titles(verdict.architectures))
    for one in close[:3]:
        verdict.tell("nearest", what=_called(one.row), count=one.right, missing=len(one.missing),
                     wrong=one.wrong + max(0, one.under - len(one.known)))  # fmt: skip
    if verdict.main is None and not close:
        for alike in likenesses(shapes):
            verdict.tell("alike", what=_called(alike.row), count=alike.names,
                         wrong=alike.names - alike.right)  # fmt: skip


def tell_open(verdict: Verdict, model: ModelFile) -> None:
    """Say what the header leaves open, and what the file's name hints at."""
    open_words = verdict.variants if len(verdict.variants) > 1 else verdict.architectures
    if verdict.row is not None and verdict.row.shared_with:
        verdict.tell("same_header", what=verdict.row.shared_with)
    if len(open_words) < 2 or verdict.several:
        return
    verdict.tell("shared_header", what=titles(open_words))
    name = model.path.name.lower()
    hinted = [word for word in open_words if word in name]
    if len(hinted) == 1:
        verdict.tell("name_hint", name=model.path.name, what=title(hinted[0]))


def titles(words: Iterable[str]) -> str:
    """Return architectures or variants as people call them, in one line."""
    return " / ".join(map(title, words))


def _called(row: Component) -> Note:
    """Return what a row is, as a note: its model and its role read in any language."""
    role = Note(f"inspect.part_{row.role}")
    name = title(row.architecture) if row.architecture else titles(row.architectures)
    # A variant that only repeats the model's or the role's word says nothing.
    more = [word for word in row.variants[:1] if word.replace("-", "_") not in {name, row.role}]
    words = " ".join(filter(None, (name, *more)))
    return Note("identity.called", {"name": words, "role": role}) if words else role


def _place(found: Found) -> Note:
    """Return the prefix that a model stands under, as a note."""
    if not found.prefix:
        return Note("identity.no_prefix")
    return Note("identity.prefix", {"prefix": found.prefix})
