"""What modules add, as LyCORIS itself computes it; and bakes, as peft and diffusers fuse them."""

from __future__ import annotations

import copy
import dataclasses
import json
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from kanna.identify.adapter import PEFT_METADATA
from kanna.lora.baking import deltas
from kanna.lora.deltas import added
from kanna.lora.writing import named
from kanna.merging.terms import Term, combined
from kanna.model import ModelFile
from lora_files import file_of, identity_of, info, module_of, modules, random, total, values


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


@pytest.fixture(scope="module")
def models() -> Iterator[Any]:
    """A small UNet of SDXL's kind and a small FLUX, as diffusers makes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import diffusers
        import peft

        torch.manual_seed(9)
        unet = diffusers.UNet2DConditionModel(  # type: ignore[no-untyped-call]
            sample_size=8, in_channels=4, out_channels=4, block_out_channels=(32, 64),
            layers_per_block=1, cross_attention_dim=16, attention_head_dim=8,
            transformer_layers_per_block=1, norm_num_groups=8, use_linear_projection=True,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        )  # fmt: skip
        flux = diffusers.FluxTransformer2DModel(  # type: ignore[no-untyped-call]
            patch_size=1, in_channels=4, num_layers=1, num_single_layers=1, attention_head_dim=8,
            num_attention_heads=2, joint_attention_dim=16, pooled_projection_dim=8,
            axes_dims_rope=(4, 2, 2), guidance_embeds=True,
        )  # fmt: skip
        yield SimpleNamespace(unet=unet, flux=flux, peft=peft)


UNET_LAYERS = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "ff.net.0.proj", "conv1", "conv_shortcut",
               "time_emb_proj", "downsamplers.0.conv"]  # fmt: skip
FLUX_LAYERS = ["to_q", "to_k", "add_v_proj", "to_out.0", "proj_mlp", "proj_out", "norm_out.linear",
               "x_embedder", "ff.net.2"]  # fmt: skip


@pytest.mark.parametrize("kind", ["unet", "flux"])
@pytest.mark.parametrize("options", [{}, {"use_dora": True}, {"use_rslora": True}])
def test_a_bake_is_what_diffusers_fuses(models: Any, kind: str, options: dict[str, bool]) -> None:
    """The same LoRA, read by both from what diffusers saves, into the model in diffusers' layout."""
    layers = UNET_LAYERS if kind == "unet" else FLUX_LAYERS
    model = copy.deepcopy(getattr(models, kind))
    before = {name: one.detach().clone() for name, one in model.state_dict().items()}
    config = models.peft.LoraConfig(
        r=3, lora_alpha=5, target_modules=layers, init_lora_weights=False, **options
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.add_adapter(config)
        for name, one in model.named_parameters():
            if "magnitude" in name:
                one.data *= 1.3
        state = models.peft.get_peft_model_state_dict(model)
        model.fuse_lora(lora_scale=1.0)
        model.unload_lora()
    start = "unet" if kind == "unet" else "transformer"
    said = {f"{start}.{key}": value for key, value in {"r": 3, "lora_alpha": 5, **options}.items()}
    lora = file_of({f"{start}.{name}": one for name, one in state.items()},
                   metadata={PEFT_METADATA: json.dumps(said)})  # fmt: skip
    after, made = model.state_dict(), baked_into(before, lora, kind)
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert len(changed) * (3 if options.get("use_dora") else 2) == len(lora)
    for name, expected in after.items():
        assert torch.allclose(made[name], expected, atol=1e-5), name


def baked_into(
    tensors: dict[str, torch.Tensor], lora: ModelFile, kind: str
) -> dict[str, torch.Tensor]:
    """What becomes of a model in diffusers' layout."""
    file = file_of(tensors, path="model.safetensors")
    word = "sdxl" if kind == "unet" else "flux"
    identity = identity_of(file, [("diffusion_model", "", "diffusers")], word)
    own = dataclasses.replace(identity_of(lora, [], word), kind="lora")
    found = deltas(lora, own, file, identity)
    return {
        name: total(combined([((Term(one),), 1.0), *((d.adds(one, 1.0), 1.0) for d in here)]))
        for name, one in file.items()
        for here in [[found[name]] if name in found else []]
    }


def test_what_kanna_writes_for_diffusers_is_read_by_diffusers(models: Any) -> None:
    """From kohya's spelling of FLUX, alphas in the metadata: `load_lora_adapter`, then fused."""
    model = copy.deepcopy(models.flux)
    before = {name: one.detach().clone() for name, one in model.state_dict().items()}
    tensors: dict[str, torch.Tensor] = {}
    for at, (path, height, width) in enumerate((("double_blocks_0_img_attn_qkv", 48, 16),
                                                ("single_blocks_0_linear1", 112, 16),
                                                ("single_blocks_0_linear2", 16, 80))):  # fmt: skip
        tensors |= {f"lora_unet_{path}.lora_down.weight": random(2, width, seed=at),
                    f"lora_unet_{path}.lora_up.weight": random(height, 2, seed=9 + at),
                    f"lora_unet_{path}.alpha": torch.tensor(1.0 + at)}  # fmt: skip
    lora = file_of(tensors)
    made = named(modules(lora), "diffusers", "flux")
    state = {name: values(one) for name, one in made.tensors.items()}
    settings = json.loads(made.metadata[PEFT_METADATA])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.load_lora_adapter(state, prefix="transformer", metadata=settings)
        model.fuse_lora()
        model.unload_lora()
    expected = baked_into(before, lora, "flux")
    for name, one in model.state_dict().items():
        assert torch.allclose(one, expected[name], atol=1e-5), name
