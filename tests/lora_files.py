"""LoRA files in memory, for tests: tensors of torch under the names of a dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch

from kanna.dtypes import BF16, FP16, FP32, INT64, DType
from kanna.identity import Identity, Part
from kanna.lora.modules import Module
from kanna.lora.reading import read
from kanna.merging.terms import Sum
from kanna.model import ModelFile, TensorInfo
from kanna.views.computed import summed
from kanna.views.given import Given

_DTYPES = {
    torch.float32: FP32, torch.float16: FP16, torch.bfloat16: BF16, torch.int64: INT64,
}  # fmt: skip


def info(name: str, tensor: torch.Tensor) -> TensorInfo:
    """A tensor of torch as one of kanna."""
    dtype: DType = _DTYPES[tensor.dtype]
    data = bytes(tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return TensorInfo(name, dtype, tuple(tensor.shape), Given(data or b"\0"))


def file_of(
    tensors: Mapping[str, torch.Tensor], *, metadata: Mapping[str, str] | None = None,
    path: str = "some-lora.safetensors",
) -> ModelFile:  # fmt: skip
    """A file of these tensors."""
    made = {name: info(name, tensor) for name, tensor in tensors.items()}
    return ModelFile(path=Path(path), container="safetensors", size=0, tensors=made, files=(),
                     metadata=metadata or {})  # fmt: skip


def modules(file: ModelFile, identity: Identity | None = None) -> tuple[Module, ...]:
    """What a file holds, of which every tensor is known."""
    return read(file, identity).modules


def module_of(tensors: Mapping[str, torch.Tensor], path: str = "lora_unet_some_layer") -> Module:
    """The one module of these pieces, by the ends of their names."""
    file = file_of({f"{path}.{end}": tensor for end, tensor in tensors.items()})
    (module,) = modules(file)
    return module


def values(tensor: TensorInfo) -> torch.Tensor:
    """The numbers of a tensor, in fp32."""
    full = summed([tensor], [1.0])
    return torch.frombuffer(bytearray(full.read()), dtype=torch.float32).reshape(tensor.shape)


def total(terms: Sum) -> torch.Tensor:
    """The numbers of a sum, in fp32."""
    first = terms[0].tensor
    made = summed([term.tensor for term in terms], [term.weight for term in terms])
    return values(TensorInfo(first.name, FP32, first.shape, made.data))


def random(*shape: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    """Made-up numbers, the same each time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale


def identity_of(
    file: ModelFile, parts: Iterable[tuple[str, str, str | None]], architecture: str
) -> Identity:
    """What a file is that nobody has to recognise: role, prefix and layout of its parts."""
    made = []
    for role, prefix, layout in parts:
        names = tuple(name for name in file if name.startswith(prefix))
        made.append(Part(
            role=role, architecture=architecture, prefix=prefix, names=names, parameters=0, bytes=0,
            dtypes={}, complete=None, layout=layout,
        ))  # fmt: skip
    return Identity(path=str(file.path), size=0, container="safetensors", kind="diffusion_model",
                    architecture=architecture, certainty="certain", parts=tuple(made))  # fmt: skip
