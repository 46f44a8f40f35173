"""What other programs get wrong when they merge, one test for each: kanna does it right.

Found by reading and running sd-webui-supermerger (SM), the merger of AUTOMATIC1111 and Forge
(A1111), sd-mecha 1.1.5 (mecha) and mergekit 0.1.5 (MK).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from kanna.cli import run
from kanna.engine import run as write
from kanna.errors import Incompatible
from kanna.families.blocks import blocks_of
from kanna.merging.recipe import Weight
from kanna.merging.weights import Weights
from kanna.plan import Output, Plan
from kanna.views import rows
from kanna.views.columns import columns
from merge_calls import held, merged, noise
from merge_files import header, mixed
from model_headers import headers, known

SD1, SDXL, FLUX = "sd15-fp16-pruned", "sdxl-base-fp16", "flux1-dev-bf16-aio"
UNET = "model.diffusion_model."
BIAS = (4,)  # the shape of out.2.bias


@cache
def weights(name: str) -> Weights:
    return Weights(blocks_of(headers()[name].model(), known(name)))


def number(name: str, tensor: str, value: float = 0.5, blocks: str = "", *elements: str) -> float:
    return weights(name).number(Weight(value=value, blocks=blocks, elements=elements), tensor)


# SM


@pytest.mark.parametrize(("name", "count"), [(SD1, 26), (SDXL, 20), (FLUX, 61)])
def test_every_block_of_sd1_and_flux_has_a_number(name: str, count: int) -> None:
    """SM looks for each block in the list of SDXL's (#471): no model of SD1 or FLUX merges."""
    text = ",".join(str(1 + place) for place in range(count))
    found = {number(name, tensor, 0.5, text) for tensor in headers()[name].tensors}
    assert set(range(1, count + 1)) <= found


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        (SD1, "middle_block.1.proj_in.weight", "input_blocks.9.0.op.weight"),
        (SDXL, "middle_block.1.proj_in.weight", "input_blocks.8.1.proj_in.weight"),
    ],
)
def test_elements_mean_the_blocks_of_this_model(name: str, inside: str, outside: str) -> None:
    """SM counts SDXL's blocks with the words of SD1 for elements: M00 is IN09 there (#338, #468)."""
    rule = "M00:*=0.25"
    assert number(name, UNET + inside, 0.5, "", rule) == 0.25
    assert number(name, UNET + outside, 0.5, "", rule) == 0.5


def test_a_long_list_for_beta_leaves_alpha_alone() -> None:
    """SM writes beta over alpha where a list has 110 numbers."""
    alpha, beta = (",".join([value] * 110) for value in ("0.25", "0.75"))
    for tensor in headers()[SDXL].tensors:
        assert number(SDXL, tensor, 0.5, alpha) == 0.25
        assert number(SDXL, tensor, 0.5, beta) == 0.75


def test_what_is_in_no_numbered_block_has_a_number_too() -> None:
    """SM returns one word where two are unpacked, for label_emb and its like."""
    text = ",".join(["0.25"] * 20)
    for tensor in ("label_emb.0.0.weight", "time_embed.0.bias", "out.0.weight"):
        assert number(SDXL, UNET + tensor, 0.5, text) in {0.25, 0.5}


# A1111


def test_shapes_are_compared_and_never_broadcast() -> None:
    """A1111 broadcasts SD1 against SDXL and tries to allocate 335 GB (forge #2621)."""
    for one, two in ((SD1, SDXL), (SDXL, SD1)):
        with pytest.raises(Incompatible):
            mixed(header(one, 1), header(two, 2))


# mecha


def test_what_switches_something_on_switches_it_on() -> None:
    """In mecha's extended TIES ``apply_stock=False`` applies model stock."""
    base, first, second = (noise(6, 5, seed=seed) for seed in (1, 2, 3))
    plain = merged("ties", first, second, base=base, density=[1.0, 1.0], normalize=False)
    agree = (first - base).sign() == (second - base).sign()
    assert torch.allclose(plain[agree], (first + second - base)[agree], atol=1e-5)
    mean = merged("ties", first, second, base=base, density=[1.0, 1.0], normalize=True)
    assert torch.allclose(mean[agree], ((first + second) / 2)[agree], atol=1e-5)
    whole = merged("model-stock", first, second, base=base, rows=False)
    by_row = merged("model-stock", first, second, base=base, rows=True)
    share = (whole - base) / ((first + second) / 2 - base)
    assert torch.allclose(share, share[0, 0].expand_as(share), atol=1e-4)
    shares = (by_row - base) / ((first + second) / 2 - base)
    assert not torch.allclose(shares[0], shares[1], atol=1e-4)


def dropped(key: str, seed: int, model: int = 0) -> torch.Tensor:
    """Where DARE drops the numbers of one model's tensor."""
    base, one = torch.zeros(40, 40), torch.ones(40, 40)
    tensors, shares = [base, base], [0.0, 0.0]
    tensors[model], shares[model] = one, 1.0
    return merged("dare-linear", *tensors, base=base, key=key, seed=seed, weights=shares) == 0


def test_every_tensor_has_its_own_lots() -> None:
    """Mecha draws one mask for all tensors of a shape, and the same one whatever the seed."""
    assert torch.equal(dropped("a", 0), dropped("a", 0))
    assert not torch.equal(dropped("a", 0), dropped("b", 0))
    assert not torch.equal(dropped("a", 0), dropped("a", 1))
    assert not torch.equal(dropped("a", 0), dropped("a", 0, model=1))


@pytest.fixture
def pair(tmp_path: Path) -> list[str]:
    """Two small models in fp8, whose names are in no order."""
    paths = []
    for seed in (1, 2):
        names = [f"{'zyxabc'[n % 6]}.{n}.weight" for n in range(60)]
        tensors = {name: noise(8, 5, seed=100 * seed + n) for n, name in enumerate(names)}
        path = tmp_path / f"{seed}.safetensors"
        save_file({name: one.to(torch.float8_e4m3fn) for name, one in tensors.items()}, path)
        paths.append(str(path))
    return paths


def test_fp8_is_merged_as_fp8(pair: list[str], tmp_path: Path) -> None:
    """Mecha asks torch for a dtype called F8_E4M3FN, and so knows no fp8."""
    out = tmp_path / "out.safetensors"
    assert run(["merge", "weighted-sum", *pair, "-a", "0.5", "-o", str(out), "-q"]) == 0
    one, two = map(load_file, pair)
    for name, tensor in load_file(out).items():
        wanted = (one[name].float() + two[name].float()) / 2
        assert torch.equal(tensor.float(), wanted.to(torch.float8_e4m3fn).float())


def test_data_begins_at_a_multiple_of_eight_in_the_order_of_the_first_model(
    pair: list[str], tmp_path: Path
) -> None:
    """Mecha's data begins anywhere, and the order of its tensors is that of its threads."""
    made = []
    for threads in "123":
        out = tmp_path / "out.safetensors"
        command = ["merge", "weighted-sum", *pair, "-o", str(out), "-q", "--force"]
        assert run([*command, "--threads", threads]) == 0
        made.append(out.read_bytes())
    assert made[0] == made[1] == made[2]
    assert names_of(made[0]) == names_of(Path(pair[0]).read_bytes())
    assert (8 + int.from_bytes(made[0][:8], "little")) % 8 == 0


def names_of(raw: bytes) -> list[str]:
    text = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    return [name for name in text if name != "__metadata__"]


def test_a_view_of_a_tensor_is_written_and_nothing_around_it(tmp_path: Path) -> None:
    """Mecha writes as many bytes as the storage of a view has."""
    whole = held(noise(6, 4))
    views = [rows(whole, 2, 5), columns(whole, 1, 3)]
    plan = Plan(
        outputs=tuple(Output.of(one, name=str(n)) for n, one in enumerate(views)),
        container="safetensors", inputs=(),
    )  # fmt: skip
    write(plan, tmp_path / "x.safetensors")
    found = load_file(tmp_path / "x.safetensors")
    assert torch.equal(found["0"], noise(6, 4)[2:5])
    assert torch.equal(found["1"], noise(6, 4)[:, 1:3])


# MK


def test_ties_keeps_a_number_of_a_tensor_that_is_too_small_for_the_density() -> None:
    """MK fails on four numbers of which a fifth is to be kept: on out.2.bias of every UNet."""
    base, change = torch.ones(BIAS), torch.tensor([0.1, -0.4, 0.2, 0.3])
    found = merged("ties", base + change, base + change, base=base, density=[0.2, 0.2])
    assert torch.equal((found - base).abs() > 0.01, torch.tensor([False, True, False, False]))


def test_breadcrumbs_keep_what_they_do_not_drop() -> None:
    """MK cuts off ``[bottom:-0]``, nothing, where no outlier is to be dropped: biases stay as C's."""
    base, change = torch.ones(BIAS), torch.tensor([0.1, -0.4, 0.2, 0.3])
    found = merged("breadcrumbs", base + change, base=base, density=[1.0], gamma=0.01)
    assert torch.allclose(found, base + change, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 4), BIAS, (1,), (2, 3, 1, 1)])
def test_sce_gives_back_the_shape_that_it_was_given(shape: tuple[int, ...]) -> None:
    """MK's early ends of SCE return one dimension more (#700): where nothing differs, or is kept."""
    base, one, two = (noise(*shape, seed=seed) for seed in (1, 2, 3))
    assert merged("sce", base, base, base=base).shape == shape
    for select in (0.0, 0.5, 1.0):
        assert merged("sce", one, two, base=base, select=select).shape == shape


@pytest.mark.parametrize("name", ["dare-linear", "ties", "della", "breadcrumbs"])
def test_a_weight_of_zero_is_zero(name: str) -> None:
    """MK takes a weight of 0 for none, and fails."""
    base, one, two = (noise(5, 6, seed=seed) for seed in (1, 2, 3))
    dense = [1.0, 1.0]
    less: dict[str, Any] = (
        {"epsilon": 0.0} if name == "della" else {"gamma": 0.0} if name == "breadcrumbs" else {}
    )
    found = merged(name, one, two, base=base, weights=[1.0, 0.0], density=dense, **less)
    assert torch.allclose(found, one, atol=1e-6)


@pytest.mark.parametrize("name", ["dare-linear", "della-linear"])
def test_lots_do_not_depend_on_the_order_of_tensors(name: str, tmp_path: Path) -> None:
    """MK draws for tensors as they come, which is the order of a set: another one in each run."""
    names = [f"{n}.weight" for n in range(6)]
    every = [{key: noise(9, 7, seed=31 * n + ord(key[0])) for key in names} for n in range(3)]
    made = []
    for order in (names, names[::-1], names[3:]):
        paths = []
        for n, tensors in enumerate(every):
            path = tmp_path / f"{n}.safetensors"
            save_file({key: tensors[key].clone() for key in order}, path)
            paths.append(str(path))
        out = tmp_path / "out.safetensors"
        command = ["merge", name, *paths[:2], "--base", paths[2], "--seed", "5", "--force", "-q"]
        assert run([*command, "--no-hash", "-o", str(out)]) == 0
        made.append(load_file(out))
    assert all(torch.equal(made[0][key], made[1][key]) for key in names)
    assert all(torch.equal(made[0][key], one) for key, one in made[2].items())
