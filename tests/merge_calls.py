"""Merge methods called as a recipe would call them, and tensors that lie in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kanna.merging.computing import Call, seed_of, view
from kanna.merging.method import Method
from kanna.merging.parameters import parameters_of
from kanna.merging.recipe import Step, Value, Weight
from kanna.merging.registry import method_called
from kanna.model import TensorInfo
from kanna.views.computed import computed


class Everywhere:
    """Weights that are the same in every block."""

    def number(self, weight: Weight, name: str) -> float:
        del name
        return weight.value

    def method(self, step: Step, name: str) -> str:
        del name
        return step.method

    def place(self, name: str) -> None:
        del name


def noise(*shape: int, seed: int = 1, scale: float = 1.0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale


def number(value: object) -> Value:
    """A parameter as a recipe has it."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(Weight(value=float(one)) for one in value)
    if isinstance(value, float):
        return Weight(value=value)
    assert isinstance(value, bool | int | str)
    return value


def given(method: Method, count: int, parameters: dict[str, Any]) -> dict[str, Any]:
    """What a recipe's step makes of these parameters for `count` models."""
    step = Step(name="x", method=method.name, models=("m",) * count,
                parameters={name: number(value) for name, value in parameters.items()})  # fmt: skip
    return parameters_of(method, step, lambda weight: weight.value)


def weights(name: str, count: int, **parameters: Any) -> list[float]:
    """The weights of `count` models, and of the base, by a linear method."""
    method = method_called(name)
    tensors = count + (method.base == "required")
    return list(method.call()(tensors, **given(method, count, parameters)))


def merged(
    name: str, *tensors: torch.Tensor, base: torch.Tensor | None = None, key: str = "w",
    seed: int = 0, **parameters: Any,
) -> torch.Tensor:  # fmt: skip
    """What a method makes of these tensors; one that measures has measured only them."""
    method = method_called(name)
    call: dict[str, Any] = given(method, len(tensors), parameters)
    if base is not None:
        call["base"] = base
    measure, conclude = method.call_measure(), method.call_conclude()
    if measure:
        found = [measure(*tensors, **call)]
        call["measured"] = conclude(found) if conclude else found
    if method.random:
        seeds = [seed_of(seed, index, key) for index in range(len(tensors))]
        call["generators"] = [torch.Generator().manual_seed(one) for one in seeds]
    if method.kind == "linear":
        shares = method.call()(
            len(tensors) + (base is not None), **given(method, len(tensors), parameters)
        )
        every = [*tensors, *([] if base is None else [base])]
        return sum((share * one for share, one in zip(shares, every, strict=True)), torch.zeros(()))
    made = method.call()(*tensors, **call)
    assert isinstance(made, torch.Tensor)
    return made


def held(tensor: torch.Tensor, name: str = "w") -> TensorInfo:
    """A tensor of fp32 in memory, which is read in runs of any length."""
    data = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()

    def run(start: int, count: int, out: memoryview) -> None:
        out[:] = data[4 * start : 4 * (start + count)]

    return computed(name, tuple(tensor.shape), run, numel=tensor.numel())


def viewed(
    name: str, *tensors: torch.Tensor, base: torch.Tensor | None = None, key: str = "w",
    seed: int = 0, **parameters: Any,
) -> TensorInfo:  # fmt: skip
    """The same as a tensor that is computed when it is read."""
    method = method_called(name)
    return view(Call(method=method, tensors=tuple(held(one, key) for one in tensors),
                     base=None if base is None else held(base, key), seed=seed,
                     parameters=given(method, len(tensors), parameters)))  # fmt: skip


def numbers_of(tensor: TensorInfo) -> torch.Tensor:
    return torch.frombuffer(bytearray(tensor.read()), dtype=torch.float32).reshape(tensor.shape)
