"""The headers of real model files: names, dtypes, shapes and metadata, without a single weight.

``data/headers.json.gz`` holds them folded (see `kanna.families.keys`), by dtype; `kind`,
`architecture` and `variant` say what each file is.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from kanna.dtypes import FP16, SAFETENSORS, DType
from kanna.families.keys import expand_lines
from kanna.formats.ggml_types import GGML_TYPES, BlockType
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import Extent, ModelFile, TensorInfo

BLOCKS = next(t for t in GGML_TYPES.values() if isinstance(t, BlockType) and t.word == "q8_0")
DATA = Path(__file__).parent / "data" / "headers.json.gz"


@dataclass(frozen=True)
class Bytes:
    """Tensor data that is given, or all zeros where it is not."""

    data: bytes = b""
    whole: bool = False

    def extent(self) -> Extent | None:
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        end = min(len(out), max(0, len(self.data) - start))
        out[:end] = self.data[start : start + end]


@dataclass(frozen=True)
class Header:
    """What one real file is, and what is in its header."""

    name: str
    kind: str
    architecture: str
    variant: str
    metadata: Mapping[str, str] = field(repr=False)
    tensors: Mapping[str, TensorInfo] = field(repr=False)

    def model(self, names: Iterable[str] | None = None, prefix: str = "") -> ModelFile:
        """A file of these names, or all of them, under `prefix`."""
        wanted = self.tensors if names is None else names
        return model_of(
            {prefix + name: self.tensors[name] for name in wanted}, metadata=self.metadata
        )


def model_of(
    tensors: Mapping[str, TensorInfo | tuple[int, ...]],
    *,
    metadata: Mapping[str, str] | None = None,
    dtype: DType = FP16,
    path: str = "some-model.safetensors",
) -> ModelFile:
    """A file of tensors by name; a shape stands for a tensor of zeros."""
    made = {
        name: TensorInfo(name, dtype, value, Bytes())
        if isinstance(value, tuple)
        else TensorInfo(name, value.dtype, value.shape, value.data)
        for name, value in tensors.items()
    }
    return ModelFile(
        path=Path(path), container="safetensors", size=0, tensors=made, files=(),
        metadata=metadata or {},
    )  # fmt: skip


def in_blocks(tensor: TensorInfo) -> TensorInfo:
    """A matrix as a GGUF holds it, in blocks; all others as they are."""
    fits = len(tensor.shape) == 2 and tensor.shape[-1] % BLOCKS.elements == 0
    return replace(tensor, dtype=BLOCKS) if fits else tensor


def shapes_of(name: str, prefix: str = "") -> dict[str, tuple[int, ...]]:
    """Names, less `prefix`, and shapes of the header called `name`."""
    tensors = headers()[name].tensors
    return {n.removeprefix(prefix): t.shape for n, t in tensors.items() if n.startswith(prefix)}


@cache
def known(name: str) -> Identity:
    """What the file called `name` is found to be; many tests start from it."""
    return identify(headers()[name].model())


def keys(identity: Identity) -> list[str]:
    """The keys of its evidence."""
    return [note.key.removeprefix("identity.") for note in identity.evidence]


@cache
def headers() -> Mapping[str, Header]:
    """All headers by the name they go by here."""
    with gzip.open(DATA) as stream:
        raw: dict[str, dict[str, Any]] = json.load(stream)
    return {
        name: Header(
            name, row["kind"], row["architecture"], row["variant"], row["metadata"],
            {t.name: t for dtype, lines in row["tensors"].items() for t in _tensors(dtype, lines, folded=row["folded"])},
        )
        for name, row in raw.items()
    }  # fmt: skip


def _tensors(dtype: str, lines: list[str], *, folded: bool) -> Iterable[TensorInfo]:
    if folded:
        pairs: Iterable[tuple[str, Any]] = expand_lines(lines)
    else:
        pairs = ((line.rpartition(" ")[0], json.loads(line.rpartition(" ")[2])) for line in lines)
    return [TensorInfo(n, SAFETENSORS[dtype], tuple(shape), Bytes()) for n, shape in pairs]
