"""The modules of an adapter file, in any dialect.

How tensors are called is in ``families/lora.toml``; here they become values. Sources of what they
mean: kohya-ss/sd-scripts networks/lora.py, KohakuBlueleaf/LyCORIS, huggingface/peft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

from kanna.errors import Incompatible
from kanna.identify.adapter import peft_settings
from kanna.identify.modules import Module as Listed
from kanna.identify.modules import modules_of, unnamed
from kanna.identity import Identity
from kanna.lora.modules import DIFFUSION, Kind, Module
from kanna.lora.settings import Settings, settings_beside, settings_of
from kanna.lora.sizes import size_of
from kanna.model import ModelFile, Note, TensorInfo

# The first set of pieces that a module has says what it is; ``|`` parts those of which one will do.
_KINDS: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("dora", ("up", "down", "magnitude")),
    ("lora", ("up", "down")),
    ("loha", ("hada_a", "hada_b", "hada2_a", "hada2_b")),
    ("lokr", ("w1|w1_a", "w1|w1_b", "w2|w2_a", "w2|w2_b")),
    ("boft", ("rotations",)),
    ("oft", ("rotation",)),
    ("peft-oft", ("packed_rotation",)),
    ("glora", ("a1", "a2", "b1", "b2")),
    ("ia3", ("scale", "input")),
    ("full", ("diff|set",)),
    ("norm", ("norm",)),
    ("full", ("bias",)),
)
# What else modules of a kind may have. Whatever else there is belongs to no kind that is known.
_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    "dora": frozenset({"core", "bias", "up_bias"}),
    "lora": frozenset({"core", "bias", "up_bias"}),
    "loha": frozenset({"core", "core2", "magnitude", "bias"}),
    "lokr": frozenset({"core", "magnitude", "bias"}),
    "glora": frozenset({"bias"}),
    "boft": frozenset({"rescale", "bias"}),
    "oft": frozenset({"rescale", "bias"}),
    "ia3": frozenset({"bias"}),
    "full": frozenset({"bias"}),
    "norm": frozenset({"bias"}),
    "peft-oft": frozenset(),
}
# What one word of the tables stands for, where what it adds is not the same.
_FINER: Final = {"lora_B.bias": "up_bias", "set_weight": "set"}
# Pieces that are no numbers to compute with: a switch, a shape.
_NO_NUMBERS: Final = frozenset({"input", "reshape"})
_PEFT: Final = "base_model."  # alpha is never in such files


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contents:
    """What an adapter file holds: its modules, in the order of the file.

    `strangers` are the names of the tensors that belong to none; `notes` say where alphas come from
    that the file does not have.
    """

    modules: tuple[Module, ...]
    strangers: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def read(
    model: ModelFile, identity: Identity | None = None, *, skip_unknown: bool = False
) -> Contents:
    """Return what the adapter `model` holds.

    With `skip_unknown`, tensors that no dialect has are left out.

    Raises:
        Incompatible: there are such tensors, or the file holds no adapter, several, or one whose
            numbers cannot be computed with.
        FormatError: an alpha cannot be read, or the settings beside the file.
    """
    if identity is not None and identity.kind != "lora":
        raise Incompatible("lora.no_lora", path=model.path, kind=identity.kind)
    _refuse_several(model)
    found, strangers = _modules(model)
    if strangers and not skip_unknown:
        raise Incompatible("lora.unknown_tensors", path=model.path, count=len(strangers),
                           name=strangers[0])  # fmt: skip
    if not found:
        raise Incompatible("lora.no_modules", path=model.path)
    settled, notes = _with_alphas(model, found)
    return Contents(modules=tuple(settled), strangers=strangers, notes=tuple(notes))


def _refuse_several(model: ModelFile) -> None:
    """Refuse a file with several adapters, which PEFT tells apart by their names."""
    named = {unnamed(name)[1] for name in model} - {None}
    if len(named) > 1:
        words = ", ".join(sorted(map(str, named)))
        raise Incompatible("lora.several_adapters", path=model.path, names=words)


def _modules(model: ModelFile) -> tuple[list[Module], tuple[str, ...]]:
    listed = modules_of({name: tensor.shape for name, tensor in model.items()}, model)
    made, used = [], set[str]()
    for row in listed:
        module = _module(model, row)
        if module is not None:
            made.append(module)
            used.update(row.names.values())
    return made, tuple(name for name in model if name not in used)


def _module(model: ModelFile, row: Listed) -> Module | None:
    """Return one module, or None where its pieces make nothing that is known.

    Raises:
        Incompatible: its pieces do not fit together, or cannot be computed with.
        FormatError: its alpha cannot be read.
    """
    pieces = {_piece(word, name, model[name]): model[name] for word, name in row.names.items()}
    alpha = pieces.pop("alpha", None)
    kind = _kind(pieces)
    if kind is None:
        return None
    for word, piece in pieces.items():
        _check_piece(word, piece)
    name = next(iter(row.names.values()))
    at = name.find(row.path)
    module = Module(
        name=name[: at + len(row.path)] if at >= 0 else row.path,
        reach=row.reach or DIFFUSION, path=row.path, kind=kind, pieces=pieces,
        alpha=None if alpha is None else _number(alpha), rank=row.sizes.rank, stored_alpha=alpha,
    )  # fmt: skip
    if size_of(module) is None:
        raise Incompatible("lora.pieces_unfit", name=module.name)
    return module


def _kind(pieces: Mapping[str, TensorInfo]) -> Kind | None:
    """Return what the pieces make together, all of them."""
    for kind, words in _KINDS:
        if all(_has(pieces, word) for word in words):
            own = {one for word in words for one in word.split("|")}
            return kind if pieces.keys() <= own | _BESIDE[kind] else None
    return None


def _has(pieces: Mapping[str, TensorInfo], words: str) -> bool:
    return any(word in pieces for word in words.split("|"))


def _piece(word: str, name: str, tensor: TensorInfo) -> str:
    if word == "rotation" and len(tensor.shape) > 3:  # BOFT's factors
        return "rotations"
    plain, _ = unnamed(name)
    return next((finer for end, finer in _FINER.items() if plain.endswith(end)), word)


def _check_piece(word: str, piece: TensorInfo) -> None:
    """Refuse a piece that has no numbers, or none that the kernel knows."""
    if word in _NO_NUMBERS:
        return
    if not piece.numel:
        raise Incompatible("lora.empty", name=piece.name)
    if piece.dtype.kind != "float" or piece.dtype.code is None:
        raise Incompatible("lora.no_numbers", name=piece.name, dtype=piece.dtype.word)


def _number(alpha: TensorInfo) -> float:
    """Return the one number of an alpha.

    Raises:
        Incompatible: there are more or fewer, or it is none to compute with.
        FormatError: the file does not hold what its header says.
    """
    numbers = alpha.numbers() if alpha.numel == 1 else None
    if not numbers or not isfinite(numbers[0]):
        raise Incompatible("lora.alpha_unclear", name=alpha.name)
    return float(numbers[0])


def _with_alphas(model: ModelFile, found: Sequence[Module]) -> tuple[list[Module], list[Note]]:
    """Return the modules with the alphas that PEFT's settings give, and where they come from."""
    open_ones = [module for module in found if _lacks_alpha(module)]
    if not open_ones:
        return list(found), []
    settings, notes = settings_of(peft_settings(model.metadata)), list[Note]()
    if not settings and any(module.name.startswith(_PEFT) for module in open_ones):
        settings, notes = _beside(model, open_ones)
    made = [_with_alpha(module, settings) for module in found]
    count = sum(map(_lacks_alpha, made))
    if count and not settings:
        sure = not any(module.name.startswith(_PEFT) for module in open_ones)
        notes.append(Note("lora.alpha_assumed", {"path": model.path.name, "count": count},
                          warning=not sure))  # fmt: skip
    return made, notes


def _lacks_alpha(module: Module) -> bool:
    return module.alpha is None and module.rank is not None


def _with_alpha(module: Module, settings: Settings) -> Module:
    return replace(module, alpha=settings.alpha_of(module)) if _lacks_alpha(module) else module


def _beside(model: ModelFile, found: Sequence[Module]) -> tuple[Settings, list[Note]]:
    """Return the settings in the file that PEFT writes beside, unless their ranks are others."""
    settings, path = settings_beside(model), {"path": model.path.name}
    if not settings:
        return settings, []
    if any(settings.rank_of(one) != one.rank for one in found):
        return settings_of({}), [Note("lora.config_of_another", path)]
    return settings, [Note("lora.alpha_beside", path, warning=False)]
