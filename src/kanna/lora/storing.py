"""How the factors of LoRAs are made and stored: dtype, device, and what can go wrong with torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from kanna.dtypes import BF16, FP8_E4M3, FP8_E5M2, FP16, FP32, WORDS, DType
from kanna.errors import Interrupted, KannaError, MissingExtra, UsageError
from kanna.lora.modules import Module
from kanna.lora.ranks import Ranks
from kanna.merging.computing import require_device, seed_of
from kanna.tensor_math.factor_values import Making

DTYPES: Final = tuple(dtype.word for dtype in (FP32, FP16, BF16))


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """How factors are made and stored: dtype, device, and which quantile clips them (None: none).

    `seed` is that of the random sketches; each layer has its own, by its name.
    """

    dtype: DType = FP16
    device: str = "cpu"
    quantile: float | None = None
    seed: int = 0

    def making(self, name: str, ranks: Ranks | None = None) -> Making:
        """Return what the arithmetic is told for the layer `name`."""
        ranks = ranks or Ranks()
        return Making(
            dtype=self.dtype.torch or "", device=self.device, quantile=self.quantile,
            seed=seed_of(self.seed, 0, name), with_total=ranks.with_total, first=ranks.first,
        )  # fmt: skip


def storing(dtype: str, device: str, quantile: float | None) -> Storing:
    """Return how to store factors, of what a person asked for.

    Raises:
        UsageError: a word makes no sense, or there is no such device.
        MissingExtra: torch is not installed.
    """
    if dtype not in DTYPES:
        raise UsageError("lora_making.no_such_dtype", dtype=dtype, known=", ".join(DTYPES))
    if quantile is not None and not 0.5 <= quantile <= 1:
        raise UsageError("lora_making.quantile_unclear", quantile=quantile)
    if not find_spec("torch"):
        raise MissingExtra("lora_making.needs_torch")
    require_device(device)
    return Storing(dtype=WORDS[dtype], device=device, quantile=quantile)


def arithmetic() -> Any:
    """Return the module that computes factors."""
    return import_module("kanna.tensor_math.lora_factors")


def widest(modules: Iterable[Module]) -> DType:
    """Return the dtype that holds the numbers of all `modules`: of two kinds of halves, fp32."""
    found = {tensor.dtype for module in modules for tensor in module.pieces.values()}
    halves = [dtype for dtype in (FP16, BF16) if dtype in found]
    if found <= {*halves, FP8_E4M3, FP8_E5M2} and len(halves) < 2:
        return halves[0] if halves else FP16
    return FP32


@contextmanager
def troubles_told(memory: int) -> Iterator[None]:
    """Turn what torch and the system raise while factors are made into errors of ours.

    Raises:
        Interrupted: Ctrl-C.
        KannaError: about `memory` bytes were not to be had, or torch could not compute something.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("engine.interrupted") from None
    except MemoryError as error:
        raise KannaError("lora_making.no_memory", size=memory) from error
    except RuntimeError as error:  # torch has no other for any of these
        if "memory" in str(error).lower():
            raise KannaError("lora_making.no_memory", size=memory) from error
        reason = str(error).partition("\n")[0]
        raise KannaError("lora_making.failed", reason=reason) from error
