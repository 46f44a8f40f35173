"""What modules add, as LyCORIS itself computes it; and bakes, as peft and diffusers fuse them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from kanna.lora.deltas import added
from lora_files import info, module_of, total


@pytest.fixture(scope="module")
def lycoris() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lycoris.modules.boft import ButterflyOFTModule
        from lycoris.modules.diag_oft import DiagOFTModule
        from lycoris.modules.glora import GLoRAModule
        from lycoris.modules.ia3 import IA3Module
        from lycoris.modules.locon import LoConModule
        from lycoris.modules.loha import LohaModule
        from lycoris.modules.lokr import LokrModule

        yield SimpleNamespace(
            boft=ButterflyOFTModule, oft=DiagOFTModule, glora=GLoRAModule, ia3=IA3Module,
            lora=LoConModule, loha=LohaModule, lokr=LokrModule,
        )  # fmt: skip


WHOLE = {"full_matrix": True}
DORA = {"weight_decompose": True, "wd_on_out": True}
BY_INPUT = {"weight_decompose": True, "wd_on_out": False}
CASES = [
    ("lora", (), {}), ("lora", (3, 3), {}), ("lora", (3, 3), {"use_tucker": True}),
    ("lora", (), DORA), ("lora", (3, 3), DORA), ("lora", (), BY_INPUT), ("lora", (3, 3), BY_INPUT),
    ("loha", (), {}), ("loha", (3, 3), {"use_tucker": True}), ("loha", (), DORA),
    ("loha", (), BY_INPUT), ("lokr", (), WHOLE), ("lokr", (3, 3), WHOLE), ("lokr", (), BY_INPUT),
    ("lokr", (), {"factor": 2, "decompose_both": True}), ("lokr", (3, 3), DORA),
    ("glora", (), {}), ("glora", (3, 3), {}), ("ia3", (), {}), ("ia3", (3, 3), {}),
    ("ia3", (), {"train_on_input": True}), ("ia3", (3, 3), {"train_on_input": True}),
    ("oft", (), {}), ("oft", (3, 3), {"constraint": 0.01, "rescaled": True}),
    ("boft", (), {}), ("boft", (3, 3), {"constraint": 0.01, "rescaled": True}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "kernel", "options"), CASES)
def test_every_kind_is_as_lycoris_has_it(
    lycoris: Any, kind: str, kernel: tuple[int, ...], options: dict[str, Any]
) -> None:
    torch.manual_seed(5)
    layer = torch.nn.Conv2d(20, 32, 3) if kernel else torch.nn.Linear(20, 32)
    # its rank for alpha: where both differ, LyCORIS 4.1 scales what LoHa and LoKr add twice
    module = getattr(lycoris, kind)("layer", layer, 1.0, 4, 4, **options)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
    pieces = {
        name: tensor.detach().clone() if tensor.is_floating_point() else tensor.long()
        for name, tensor in (module.custom_state_dict() or module.state_dict()).items()
    }
    weight = layer.weight.detach()
    strengths = (1.0,) if "weight_decompose" in options or "rescaled" in options else (1.0, 0.6)
    for strength in strengths:
        expected = module.get_merged_weight(strength)[0].detach() - weight
        made = total(added(module_of(pieces), info("w", weight), strength))
        assert expected.abs().max() > 0.001
        assert torch.allclose(made, expected, atol=2e-6), (made - expected).abs().max()
