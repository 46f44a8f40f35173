"""Modules as the tensors and the metadata of a dialect.

No number of a factor changes. Alpha is a tensor of each module where the dialect has such; else it
is in the metadata, in PEFT's own words, as diffusers writes and reads them: nothing where it is the
rank everywhere, and every module by name where it is not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from kanna.errors import Incompatible, UsageError
from kanna.families import family
from kanna.identify.adapter import PEFT_METADATA
from kanna.lora.dialects import Dialect, dialects
from kanna.lora.modules import Module, underscored
from kanna.lora.references import reference
from kanna.lora.respelling import by_output, respelled
from kanna.lora.targets import encoders_of, part_word
from kanna.model import TensorInfo
from kanna.views import renamed, reshaped
from kanna.views.given import number

# Pieces in the order in which they are written: loaders look at the first name only.
_FIRST = ("down", "up")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spelled:
    """Modules in a dialect: tensors by name, and the metadata that belongs to them.

    `modules` are those that were written: layers can be cut otherwise in the dialect's layout.
    """

    tensors: Mapping[str, TensorInfo]
    modules: tuple[Module, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)


def dialect_called(name: str) -> Dialect:
    """Return the dialect `name`.

    Raises:
        UsageError: there is none.
    """
    found = dialects().get(name)
    if found is None:
        raise UsageError("lora.no_such_dialect", name=name, known=", ".join(dialects()))
    return found


def named(modules: Sequence[Module], dialect: str, architecture: str | None) -> Spelled:
    """Return `modules`, of a LoRA for `architecture`, in a dialect: ``kohya``, ``diffusers`` ….

    The paths of modules may be in any layout.

    Raises:
        UsageError: there is no such dialect.
        Incompatible: the architecture or a layer is not known, or the dialect has no form for a
            module.
        FormatError: a file does not hold what its header says.
    """
    target, known = dialect_called(dialect), family(architecture or "")
    if architecture is None or known is None:
        raise Incompatible("lora.base_unknown")
    reaches = list(dict.fromkeys(module.reach for module in modules))
    if target.one_part and len(reaches) > 1:
        raise Incompatible("lora.one_part", dialect=target.title, count=len(reaches))
    parts = [
        part_named([one for one in modules if one.reach == reach], reach, target, architecture,
                   known.needs)
        for reach in reaches
    ]  # fmt: skip
    return spelled(parts, target)


def spelled(parts: Sequence[tuple[str, Sequence[Module]]], dialect: Dialect) -> Spelled:
    """Return modules in `dialect`, by part: what stands before their paths, which it knows already.

    Raises:
        Incompatible: the dialect has no form for a module, or two have one name.
    """
    tensors: dict[str, TensorInfo] = {}
    settings: dict[str, object] = {}
    for start, made in parts:
        for module in made:
            for tensor in _tensors(module, dialect, start):
                if tensor.name in tensors:
                    raise Incompatible("lora.twice", name=tensor.name)
                tensors[tensor.name] = tensor
        if dialect.alpha == "metadata":
            prefix = "" if dialect.one_part else start
            settings |= {f"{prefix}{key}": value for key, value in _settings(made).items()}
    every = [module for _, made in parts for module in made]
    # diffusers before 0.36 takes the rank of the first module for the alpha of all
    plain = all(one.scale == 1 and one.rank == every[0].rank for one in every)
    text = "" if plain or not settings else json.dumps(settings, sort_keys=True, indent=2)
    return Spelled(tensors=tensors, modules=tuple(every),
                   metadata={PEFT_METADATA: text} if text else {})  # fmt: skip


def part_named(
    modules: Sequence[Module], reach: str, dialect: Dialect, architecture: str,
    needs: Sequence[str],
) -> tuple[str, list[Module]]:  # fmt: skip
    """Return what stands before the paths of one part, and its modules as the dialect has them.

    `needs` are the words of the parts that `architecture` has.

    Raises:
        Incompatible: the part or a layer is not known, or the dialect has no name for it.
        FormatError: a file does not hold what its header says.
    """
    word = part_word(reach, needs)
    known = reference(word, architecture, dialect, modules) if word else None
    if word is None or known is None:
        raise Incompatible("lora.no_such_layer", name=modules[0].name)
    made = respelled(modules, known)
    start = dialect.start(word, encoders_of(needs), known.table)
    if start is None:
        raise Incompatible("lora.no_such_part", dialect=dialect.title, part=word)
    return start, made


def _tensors(module: Module, dialect: Dialect, start: str) -> Iterator[TensorInfo]:
    """Yield the tensors of one module by the names that the dialect gives them."""
    if module.kind not in dialect.kinds:
        raise _no_form(module, dialect)
    path = module.path if dialect.separator == "." else underscored(module.path)
    words = sorted(module.pieces, key=lambda word: _FIRST.index(word) if word in _FIRST else 9)
    for word in words:
        piece = _fitted(module, word, dialect)
        yield renamed(piece, f"{start}{path}.{_tail(module, word, dialect)}")
    if dialect.alpha == "tensor" and module.alpha is not None:
        alpha = module.stored_alpha or number("", module.alpha)
        yield renamed(alpha, f"{start}{path}.alpha")


def _tail(module: Module, word: str, dialect: Dialect) -> str:
    """Return how the name of a piece ends.

    Raises:
        Incompatible: the dialect has no name for it.
    """
    if dialect.alpha == "metadata" and word not in dialect.pieces:
        raise _no_form(module, dialect)
    if word == "up_bias" and word not in dialect.pieces:
        if module.scale != 1:  # a bias that is no factor counts as it is
            raise _no_form(module, dialect)
        word = "bias"
    return dialect.tail(module, word)


def _fitted(module: Module, word: str, dialect: Dialect) -> TensorInfo:
    """Return a piece in the shape that the dialect wants: of magnitudes there are two."""
    piece = module.pieces[word]
    if word != "magnitude" or module.kind != "dora":
        return piece
    kernel = len(module.pieces["down"].shape) - 2
    out = piece.numel
    if dialect.alpha != "metadata":
        return reshaped(piece, (out, *(1,) * (1 + kernel))) if _is_flat(piece) else piece
    if not by_output(module):
        raise _no_form(module, dialect)
    return reshaped(piece, (1, out, *(1,) * kernel) if kernel else (out,))


def _is_flat(piece: TensorInfo) -> bool:
    """Whether magnitudes are as PEFT has them."""
    shape = piece.shape
    return len(shape) == 1 or (len(shape) == 4 and shape[0] == 1 and prod(shape[2:]) == 1)


def _settings(modules: Sequence[Module]) -> dict[str, object]:
    """Return PEFT's settings of one part: what is most usual, and every module that differs."""
    ranks = {module.path: module.rank or 1 for module in modules}
    alphas = {module.path: module.scale * ranks[module.path] for module in modules}
    rank = Counter(ranks.values()).most_common(1)[0][0]
    alpha = Counter(alphas.values()).most_common(1)[0][0]
    return {
        "r": rank,
        "lora_alpha": _plain(alpha),
        "rank_pattern": {f"^{path}": one for path, one in ranks.items() if one != rank},
        "alpha_pattern": {f"^{path}": _plain(one) for path, one in alphas.items() if one != alpha},
        "target_modules": sorted(ranks),
        "use_dora": any(module.decomposed for module in modules),
        "lora_bias": any("up_bias" in module.pieces for module in modules),
    }


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _no_form(module: Module, dialect: Dialect) -> Incompatible:
    return Incompatible("lora.no_form", dialect=dialect.title, kind=module.kind, name=module.name)
