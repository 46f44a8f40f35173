"""Inputs, plans and oracles for the tests of the engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from kanna.disk import InputFile
from kanna.dtypes import TORCH, DType
from kanna.model import Data, Extent, FileRun, ModelFile, TensorInfo
from kanna.plan import Output, Plan, WriteContainer

Tensors = Mapping[str, torch.Tensor]


def dtype_of(tensor: torch.Tensor) -> DType:
    return TORCH[str(tensor.dtype).removeprefix("torch.")]


def raw(tensor: torch.Tensor) -> bytes:
    flat = tensor.contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).numpy()) if flat.numel() else b""


def store(path: Path, tensors: Tensors, *, lead: int = 0) -> ModelFile:
    """Write tensors one after the other, from byte `lead` on, and open them without a container."""
    path.write_bytes(b"?" * lead + b"".join(map(raw, tensors.values())))
    file = InputFile(path)
    infos: dict[str, TensorInfo] = {}
    offset = lead
    for name, tensor in tensors.items():
        size = len(raw(tensor))
        data = FileRun(file, offset, size)
        infos[name] = TensorInfo(name, dtype_of(tensor), tuple(tensor.shape), data)
        offset += size
    return ModelFile(path=path, container="raw", size=file.size, tensors=infos, files=(file,))


@dataclass(frozen=True, slots=True)
class Whole:
    """Data that can only be read from first to last, as compressed or strided data can."""

    inner: FileRun
    whole: bool = True

    def extent(self) -> Extent | None:
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        assert (start, len(out)) == (0, self.inner.nbytes)
        self.inner.read_into(start, out)


@dataclass(frozen=True, slots=True)
class Slow:
    """Data that takes its time."""

    inner: FileRun
    whole: bool = False

    def extent(self) -> Extent | None:
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        time.sleep(0.1)
        self.inner.read_into(start, out)


@dataclass(frozen=True, slots=True)
class Noticed:
    """Data that calls somebody before it is read."""

    inner: FileRun
    notice: Callable[[], object]
    whole: bool = False

    def extent(self) -> Extent | None:
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        self.notice()
        self.inner.read_into(start, out)


def with_data(tensor: TensorInfo, kind: Callable[[FileRun], Data]) -> TensorInfo:
    assert isinstance(tensor.data, FileRun)
    return replace(tensor, data=kind(tensor.data))


def plan(
    model: ModelFile, outputs: list[Output], container: WriteContainer = "safetensors"
) -> Plan:
    return Plan(outputs=tuple(outputs), container=container, inputs=(model,))


def read_back(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors as the container's own library reads them, in file order."""
    if path.read_bytes()[:2] == b"PK":
        return dict(torch.load(path, weights_only=True)["state_dict"])
    loaded = load_file(path)
    return {name: loaded[name] for name in header(path) if name != "__metadata__"}


def header(path: Path) -> dict[str, dict[str, str]]:
    data = path.read_bytes()
    return dict(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]))


def data_region(path: Path) -> bytes:
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]


def equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return (one.dtype, one.shape, raw(one)) == (other.dtype, other.shape, raw(other))
