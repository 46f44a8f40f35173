"""`kanna split` as plans: each model of a file as a file of its own, and one for what is left.

::

    Pieces        every model of a file, its EMA, what is left over (`parts`)
      └ PartFile  one of them in the names that a program reads (`part_files`)
         ├ record what it remembers of the file, which leads it back there (`part_record`)
         └ Plan   the tensors, cast by role (`casting`), and the metadata that is true of them
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kanna.errors import Incompatible, Incomplete, UsageError
from kanna.families.joined import BARE, file_word, program_words
from kanna.identity import Identity
from kanna.metadata import HISTORY, extended
from kanna.metadata.keeping import is_needed
from kanna.model import ModelFile, Note
from kanna.ops import gguf
from kanna.ops.casting import Precision, fixed_tensors, outputs_of, refuse_unreadable
from kanna.ops.dequantise import decoded_for, refuse_blocks
from kanna.ops.diffusers_record import MADE, metadata_of
from kanna.ops.draft import Draft
from kanna.ops.part_files import Packing, PartFile
from kanna.ops.part_record import RECORD
from kanna.ops.parts import LEFTOVERS, MODEL, Piece, Pieces, pieces, with_beside
from kanna.ops.prune import drop_trainer_state, prune
from kanna.ops.quantized_layers import moved
from kanna.plan import Plan
from kanna.quantizing.comfy import QUANTIZATION_METADATA


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOptions:
    """What is wanted of the parts.

    `program` is the one that they are made for, or ``bare``. `only` names the parts that are
    wanted, all where it is empty: by what they are called as files, by role, or by the word of a
    family's needs. `dtype` and `dtypes` are as those of `ConvertOptions`. Without `digest` no
    SHA-256 of the data is computed.
    """

    program: str = "comfyui"
    only: tuple[str, ...] = ()
    dtype: str | None = None
    dtypes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    prune: bool = False
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPlan:
    """One part to be written: what it is called as a file, its role, and its plan.

    `layout` is that of its names.
    """

    name: str
    role: str
    word: str
    layout: str | None
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """All parts to be written, in the order of the file, and what holds for all of them."""

    parts: tuple[PartPlan, ...]
    notes: tuple[Note, ...]


def programs() -> tuple[str, ...]:
    """Return the words for what parts can be made for."""
    return (*program_words(), BARE)


def split(model: ModelFile, identity: Identity, options: SplitOptions) -> SplitPlan:
    """Return the plans that take `model` apart.

    Raises:
        UsageError: an option makes no sense, or names a part that is not there.
        Incompatible: the file holds tensors that cannot be written, or a quantised part that cannot
            be decoded would have to be cast; or it is nothing but one part.
        Incomplete: there is no model in the file.
        MissingExtra: it takes the ``gguf`` package to decode a part.
    """
    _check(model, options)
    precision = Precision(options.dtype, options.dtypes)
    model, identity, told = decoded_for(model, identity, precision)
    draft = Draft.of(model, identity)
    if options.prune:
        prune(draft)
    drop_trainer_state(draft, keep=False)
    apart = with_beside(pieces(model, identity))
    splitting = _Splitting(apart, draft, precision, options)
    parts = tuple(splitting.plans())
    decoded = [told[role] for role in dict.fromkeys(part.role for part in parts) if role in told]
    return SplitPlan(parts=parts, notes=(*model.notes, *decoded, *draft.notes))


def _check(model: ModelFile, options: SplitOptions) -> None:
    if options.program not in programs():
        raise UsageError("split.no_such_program", program=options.program,
                         programs=", ".join(programs()))  # fmt: skip
    refuse_unreadable(model)


class _Splitting:
    """One file being split; `draft` has what is to be kept, and takes down what is done."""

    def __init__(
        self, apart: Pieces, draft: Draft, precision: Precision, options: SplitOptions
    ) -> None:
        self._apart, self._draft, self._options = apart, draft, options
        self._model, self._identity = apart.model, apart.identity
        self._precision = precision
        self._fixed = fixed_tensors(self._model, self._identity)
        self._packing = Packing(apart, options.program)

    def plans(self) -> Iterator[PartPlan]:
        """Yield the plan of every part that is wanted, and one for what is left over."""
        named, left = self._named(), self._left()
        if not named:
            raise Incomplete("split.no_parts", path=self._model.path)
        wanted = self._wanted(named, leftovers=bool(left.tensors))
        for name, piece in named.items():
            if name in wanted:
                self._precision.check(piece.part, piece.role, self._model)
                packed = self._packing.pack(piece, self._draft.outputs)
                if packed.tensors.keys() == self._model.keys():
                    raise Incompatible("split.single", path=self._model.path, part=name)
                self._tell(name, packed)
                yield self._part(name, piece.role, piece.word, packed)
        if LEFTOVERS in wanted:
            yield self._part(LEFTOVERS, LEFTOVERS, LEFTOVERS, left)
        elif names := [name for name in left.tensors if name not in self._junk()]:
            self._draft.note("split.left_behind", warning=True, count=len(names), name=names[0])

    def _junk(self) -> set[str]:
        """Return the names that are known to be of no use: nobody misses them."""
        known = {name for group in self._identity.junk for name in group.names}
        return known | set(self._identity.ema.extra)

    def _named(self) -> dict[str, Piece]:
        """Return the pieces by what they are called as files; namesakes are numbered."""
        taken: Counter[str] = Counter()
        named = {}
        for piece in self._apart.pieces:
            word = file_word(piece.word, piece.role, self._identity.architecture)
            taken[word] += 1
            named[word if taken[word] == 1 else f"{word}-{taken[word]}"] = piece
        return named

    def _left(self) -> PartFile:
        kept = {*self._draft.outputs, *self._model.beside}
        left = {name: one for name, one in self._apart.leftovers.items() if name in kept}
        return self._packing.leftovers(left)

    def _wanted(self, named: Mapping[str, Piece], *, leftovers: bool) -> set[str]:
        words = {name: {name, piece.role, piece.word} for name, piece in named.items()}
        if leftovers:
            words[LEFTOVERS] = {LEFTOVERS}
        asked = self._options.only
        for word in asked:
            if not any(word in known for known in words.values()):
                raise UsageError("split.no_such_part", path=self._model.path, part=word,
                                 parts=", ".join(words))  # fmt: skip
        return {name for name, known in words.items() if not asked or known & set(asked)}

    def _tell(self, name: str, packed: PartFile) -> None:
        if packed.wanted:
            wanted = ", ".join(packed.wanted)
            self._draft.note("split.layout_kept", warning=True, part=name, layout=packed.layout,
                             wanted=wanted)  # fmt: skip

    def _part(self, name: str, role: str, word: str, packed: PartFile) -> PartPlan:
        refuse_blocks(self._model, packed.tensors)
        outputs = outputs_of(packed.tensors, self._precision.of(role), self._fixed)
        step = {"verb": "split", "input": self._model.path.name, "part": name, **self._done()}
        metadata = extended(self._kept(role, packed), step, digest=self._options.digest)
        plan = Plan(
            outputs=tuple(outputs),
            container="safetensors",
            inputs=(self._model,),
            metadata={**metadata.fields, **self._recorded(role, packed)},
            digest_fields=metadata.digest_fields,
            notes=metadata.notes,
        )
        return PartPlan(name=name, role=role, word=word, layout=packed.layout, plan=plan)

    def _done(self) -> dict[str, object]:
        cast = self._precision.to_json()
        return {**self._draft.done, **({"dtype": cast} if cast else {})}

    def _recorded(self, role: str, packed: PartFile) -> dict[str, str]:
        """Return the record of a part; a folder is no file that components could go back into."""
        if self._model.container == "diffusers" and role != LEFTOVERS:
            return {}
        return {RECORD: packed.record.to_text()}

    def _kept(self, role: str, packed: PartFile) -> dict[str, str]:
        """Return the metadata that is true of a part: what speaks of the model stays with it."""
        if self._model.container == "diffusers":
            own = metadata_of(self._model, packed.record.prefix.rstrip("."))
            return {key: text for key, text in own.items() if key not in {RECORD, MADE}}
        all_of_it = role == MODEL or self._apart.of(MODEL) is None
        fields = {
            key: text
            for key, text in gguf.own_fields(self._model.metadata).items()
            if (all_of_it or key == HISTORY or is_needed(key))
            and key not in {RECORD, QUANTIZATION_METADATA}
        }
        return fields | moved(self._model.metadata, packed.record.prefix, packed.prefix)
