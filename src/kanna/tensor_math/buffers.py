"""Functions of torch tensors, called with what kanna has read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch


def tensor_of(data: bytearray, shape: tuple[int, ...], device: str = "cpu") -> torch.Tensor:
    """Return the fp32 numbers in `data` as a tensor of `shape`, on `device`."""
    if not data:
        return torch.empty(shape, device=device)
    return torch.frombuffer(data, dtype=torch.float32).reshape(shape).to(device)


def put(result: torch.Tensor, out: memoryview) -> None:
    """Fill `out` with the numbers of `result`, as fp32.

    Raises:
        ValueError: there are more of them, or fewer.
    """
    if result.numel() * 4 != len(out):
        raise ValueError(f"{tuple(result.shape)} for {len(out) // 4} numbers")
    if len(out):
        target = torch.frombuffer(out, dtype=torch.float32)
        target.copy_(result.detach().reshape(-1))


def call(
    function: Callable[..., Any], given: Sequence[bytearray], base: bytearray | None,
    shape: tuple[int, ...], parameters: dict[str, Any], *, device: str, seeds: Sequence[int],
) -> Any:  # fmt: skip
    """Return what `function` makes of the models, the base and its parameters.

    `seeds` are those of the models' generators, which are of the CPU: the same numbers everywhere.
    """
    tensors = [tensor_of(one, shape, device) for one in given]
    named = dict(parameters)
    if base is not None:
        named["base"] = tensor_of(base, shape, device)
    if seeds:
        named["generators"] = [torch.Generator().manual_seed(seed) for seed in seeds]
    with torch.inference_mode():
        return function(*tensors, **named)


def check_device(device: str) -> None:
    """Try to put a number on `device`.

    Raises:
        RuntimeError: torch has no such device.
    """
    torch.zeros(1, device=device)
