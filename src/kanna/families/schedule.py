"""The noise schedule that latent diffusion models are trained with."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from math import isclose, sqrt
from operator import mul
from typing import Final

from kanna.model import TensorInfo

# fp16 keeps three digits; a schedule that was changed on purpose differs in the first
_TOLERANCE: Final = 2e-3


def scaled_linear_betas(first_beta: float, last_beta: float, steps: int) -> list[float]:
    """Return betas whose square roots are evenly spaced.

    Source: CompVis latent-diffusion, ``make_beta_schedule("linear")``.
    """
    low, high = sqrt(first_beta), sqrt(last_beta)
    return [(low + n / (steps - 1) * (high - low)) ** 2 for n in range(steps)]


def cumulative_alphas(betas: list[float]) -> list[float]:
    """Return the running product of ``1 - beta``."""
    return list(accumulate((1 - beta for beta in betas), mul))


def holds_schedule(tensor: TensorInfo, standard: Mapping[str, float]) -> bool:
    """Whether a tensor of cumulative alphas holds the `standard` schedule, precision aside.

    `standard` is that of a row of junk: ``first_beta``, ``last_beta`` and ``steps``.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    steps = int(standard["steps"])
    if tensor.numel != steps:
        return False
    values = tensor.numbers()
    betas = scaled_linear_betas(standard["first_beta"], standard["last_beta"], steps)
    wanted = cumulative_alphas(betas)
    return values is not None and all(
        isclose(value, alpha, rel_tol=_TOLERANCE)
        for value, alpha in zip(values, wanted, strict=True)
    )
