"""Tensors as outputs in the dtype that is wanted of their part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from kanna.dtypes import TARGETS, WORDS, DType
from kanna.errors import Incompatible, UsageError
from kanna.identity import Identity, Part, said
from kanna.messages import say
from kanna.model import ModelFile, TensorInfo
from kanna.plan import Output

ROLES: Final = ("diffusion_model", "text_encoder", "vae", "ema")


class Precision:
    """Which dtype the tensors of each part get: one for all, or one by role; None leaves them."""

    def __init__(self, dtype: str | None, dtypes: Mapping[str, str]) -> None:
        """Remember what is wanted, by dtype words; the keys of `dtypes` are roles.

        Raises:
            UsageError: there is no such dtype or role.
        """
        self._default = dtype_called(dtype) if dtype else None
        self._by_role = dtypes_called(dtypes)

    def of(self, role: str) -> DType | None:
        """Return the dtype for the parts of `role`, or None."""
        return self._by_role.get(role, self._default)

    def check(self, part: Part, role: str, model: ModelFile) -> None:
        """Refuse a part whose numbers mean nothing without their scales.

        Raises:
            Incompatible: it would have to be cast.
        """
        if part.scaled and self.of(role) is not None:
            raise Incompatible("convert.quantised", path=model.path, scheme=part.quantization,
                               part=say(f"inspect.part_{role}"))  # fmt: skip

    def to_json(self) -> dict[str, str]:
        """Return what is wanted, as plain data; empty where nothing changes."""
        every = {"all": self._default} if self._default else {}
        return {role: dtype.word for role, dtype in {**every, **self._by_role}.items()}


def outputs_of(
    tensors: Mapping[str, TensorInfo], dtype: DType | None, fixed: Sequence[TensorInfo] = ()
) -> list[Output]:
    """Return `tensors` as outputs under the names given, the floating ones in `dtype`.

    What is made of one of the `fixed` keeps its dtype.
    """
    kept = {id(tensor.data) for tensor in fixed}
    return [
        Output.of(tensor, name=name, dtype=_target(tensor, dtype, kept))
        for name, tensor in tensors.items()
    ]


def fixed_tensors(model: ModelFile, identity: Identity) -> list[TensorInfo]:
    """Return the tensors that no option casts: markers, schedules, position ids."""
    names: Iterable[str] = (
        *identity.markers,
        *identity.ema.extra,
        *(name for group in identity.junk for name in group.names),
        *(key.name for key in identity.position_ids.keys),
    )
    return [model[name] for name in names if name in model]


def _target(tensor: TensorInfo, dtype: DType | None, kept: set[int]) -> DType | None:
    if dtype is None or not tensor.dtype.is_float or id(tensor.data) in kept or not tensor.numel:
        return None
    return dtype


def refuse_unreadable(model: ModelFile) -> None:
    """Refuse a file with tensors that are understood and cannot be converted.

    Raises:
        Incompatible: it is one.
    """
    if model.refused:
        name, why = next(iter(model.refused.items()))
        raise Incompatible("convert.refused", path=model.path, name=name, count=len(model.refused),
                           reason=said(why))  # fmt: skip


def dtype_called(word: str) -> DType:
    """Return the dtype that numbers can be cast to, by its word.

    Raises:
        UsageError: there is no such dtype.
    """
    return WORDS[known_word("dtype", word, TARGETS)]


def dtypes_called(words: Mapping[str, str]) -> dict[str, DType]:
    """Return dtypes by role.

    Raises:
        UsageError: there is no such dtype or role.
    """
    return {known_word("dtypes", role, ROLES): dtype_called(word) for role, word in words.items()}


def known_word(option: str, word: str, words: Sequence[str]) -> str:
    """Return `word` if it is one of `words`, which are those of an option.

    Raises:
        UsageError: it is not.
    """
    if word not in words:
        raise UsageError("convert.no_such_word", option=option, word=word, words=", ".join(words))
    return word
