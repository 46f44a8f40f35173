"""Models to merge, in memory: real names and shapes, random numbers that are made when they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open

from kanna.dtypes import WORDS, DType
from kanna.engine import RunOptions, run
from kanna.identify import identify
from kanna.merging.recipe import Compat, Recipe, Source, Step, Value, Weight, Wish
from kanna.model import Extent, ModelFile, TensorInfo
from kanna.ops.merge import MergePlan, merge
from kanna.ops.merge_inputs import Opened
from kanna.views.given import Given
from model_headers import headers, model_of

TORCH = {
    "fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16, "fp64": torch.float64,
    "int64": torch.int64,
}  # fmt: skip
_SMALL = 1 << 20


@dataclass(frozen=True, slots=True)
class Drawn:
    """Tensor data drawn at random, the same for the same seed and name; integers count from 0."""

    seed: int
    name: str
    dtype: DType
    numel: int
    whole: bool = False

    def extent(self) -> Extent | None:
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        out[:] = bytes_of(self.tensor())[start : start + len(out)]

    def tensor(self) -> torch.Tensor:
        if not self.dtype.is_float:
            return torch.arange(self.numel).to(TORCH[self.dtype.word])
        number = hashlib.sha256(f"{self.seed}:{self.name}".encode()).digest()[:6]
        generator = torch.Generator().manual_seed(int.from_bytes(number, "little"))
        drawn = torch.randn(self.numel, generator=generator) * 0.05
        return drawn.to(TORCH[self.dtype.word])


def bytes_of(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def drawn(model: ModelFile, seed: int, path: str = "", dtype: DType | None = None) -> ModelFile:
    """`model` with random numbers; floating tensors in `dtype` where one is given."""
    tensors = {}
    for name, old in model.items():
        kind = dtype if dtype is not None and old.dtype.is_float else old.dtype
        tensors[name] = TensorInfo(name, kind, old.shape, Drawn(seed, name, kind, old.numel))
    return replace(model, tensors=tensors, path=Path(path or f"{seed}.safetensors"))


def header(name: str, seed: int, dtype: DType | None = None) -> ModelFile:
    """The real header called `name`, with random numbers."""
    return drawn(headers()[name].model(), seed, dtype=dtype)


def held(tensors: Mapping[str, torch.Tensor], path: str = "x.safetensors") -> ModelFile:
    """A model of these tensors."""
    words = {dtype: word for word, dtype in TORCH.items()}
    return model_of(
        {
            name: TensorInfo(name, WORDS[words[t.dtype]], tuple(t.shape), Given(bytes_of(t)))
            for name, t in tensors.items()
        },
        path=path,
    )


def numbers(tensor: TensorInfo) -> torch.Tensor:
    """The numbers of a tensor of a file."""
    data = torch.frombuffer(bytearray(tensor.read()), dtype=TORCH[tensor.dtype.word])
    return data.reshape(tensor.shape)


def recipe(
    names: Iterable[str],
    method: str = "weighted-sum",
    *,
    base: str | None = None,
    compat: Compat | None = None,
    parameters: Mapping[str, Value] | None = None,
    wish: Wish | None = None,
    more: Iterable[str] = (),
    **given: float,
) -> Recipe:
    """A recipe of one step; `more` are sources that it does not use."""
    models = tuple(names)
    sources = [*models, *([base] if base else []), *more]
    values: dict[str, Value] = {name: Weight(value=value) for name, value in given.items()}
    step = Step(name="mix", method=method, models=models, base=base,
                parameters={**values, **(parameters or {})})  # fmt: skip
    return Recipe(sources={name: Source(path=f"{name}.safetensors") for name in sources},
                  steps=(step,), output=wish or Wish(), compat=compat)  # fmt: skip


def planned(asked: Recipe, **models: ModelFile) -> MergePlan:
    opened = {n: Opened(model=one, identity=identify(one)) for n, one in models.items()}
    return merge(asked, opened)


def mixed(first: ModelFile, second: ModelFile, alpha: float = 0.3, **wish: object) -> MergePlan:
    """The weighted sum of two models."""
    asked = recipe("ab", alpha=alpha, wish=Wish(**wish))  # type: ignore[arg-type]
    return planned(asked, a=first, b=second)


def made(
    plan: MergePlan, folder: Path, names: Iterable[str] | None = None, *, threads: int = 2
) -> dict[str, torch.Tensor]:
    """The tensors of the output called `names`, as torch reads them; all small ones if None."""
    wanted = set(names) if names is not None else None
    outputs = tuple(
        output
        for output in plan.plan.outputs
        if (output.nbytes <= _SMALL if wanted is None else output.name in wanted)
    )
    path = folder / "made.safetensors"
    some = replace(plan.plan, outputs=outputs, digest_fields={}, container="safetensors")
    run(some, path, options=RunOptions(force=True, threads=threads))
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
