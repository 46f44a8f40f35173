"""The report of a comparison: what stands beside what, and the numbers of parts and blocks."""

from __future__ import annotations

import json
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from diff_models import (
    IDS,
    UNET,
    VAE,
    Arrays,
    mixed,
    reported,
    side,
    weights,
)
from kanna.api.differing import MOST_CANDIDATES, diff
from kanna.errors import Incompatible, UsageError
from kanna.families.key_maps import table_of
from kanna.identify import identify
from kanna.ops.diff import report
from kanna.ops.diff_compared import compared
from kanna.ops.diff_places import group_of
from kanna.ops.diff_rows import row_of
from kanna.ops.diff_sides import align, side_of
from kanna.ops.diff_verdict import letter
from kanna.ops.relayout import relayout
from models import bare_vae

A = weights(1)
B = weights(2, near=A)


def flat(arrays: Arrays, start: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.concatenate(
        [a.astype("f8").ravel() for n, a in arrays.items() if n.startswith(start)]
    )


@pytest.mark.parametrize(("role", "prefix"), [("diffusion_model", UNET), ("vae", VAE)])
def test_the_numbers_of_a_part_are_those_of_numpy(role: str, prefix: str) -> None:
    row = next(one.row for one in reported(A, B).parts if one.part[0] == role)
    a, b = flat(A, prefix), flat(B, prefix)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert row.relative_rms == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(a), rel=1e-6)
    assert row.distance == pytest.approx(1 - cosine, rel=1e-6)
    assert row.largest == pytest.approx(np.abs(b - a).max(), rel=1e-6)
    assert row.mean == pytest.approx((b - a).mean(), rel=1e-3)
    assert row.scale == pytest.approx(a @ b / (a @ a), rel=1e-6)


def test_a_cosine_that_is_nearly_1_keeps_its_digits() -> None:
    name = VAE + "decoder.conv_in.weight"
    a = A[name].astype("f8")
    turned = np.zeros_like(a)
    turned.flat[0], turned.flat[1] = -a.flat[1] * 1e-6, a.flat[0] * 1e-6  # at a right angle to a
    row = reported({name: a}, {name: a + turned}).overall
    square = (turned.ravel() @ turned.ravel()) / (a.ravel() @ a.ravel())
    assert square < 1e-13  # of which 1 - cos as floats have it would keep nothing
    assert row.distance == pytest.approx(square / 2, rel=1e-6)


def test_blocks_are_those_of_block_weights_in_their_order() -> None:
    found = [one.row.name for one in reported(A, B).blocks if one.part[0] == "diffusion_model"]
    assert found == ["IN00", "IN01", "IN04", "M00", "OUT05"]


def test_a_block_is_the_sum_of_its_groups() -> None:
    for block in reported(A, B).blocks:
        assert sum(row.tensors for row in block.groups.values()) == block.row.tensors
        assert sum(row.numbers for row in block.groups.values()) == block.row.numbers


def test_only_the_block_that_changed_differs() -> None:
    report = reported(A, mixed(A, B, {"M00": 1.0}))
    differing = [one.row.name for one in report.blocks if not one.row.exact]
    assert differing == ["M00"]
    assert all("middle_block" in row.name for row in report.worst)


def test_the_worst_tensors_come_first() -> None:
    worst = [row.relative_rms for row in reported(A, B).worst]
    assert worst == sorted(worst, key=lambda one: -(one or 0))


def test_what_only_one_has_is_listed_by_role() -> None:
    ids = np.arange(77).reshape(1, 77)
    report = reported({**A, IDS: ids, "extra": ids}, {n: a for n, a in B.items() if VAE not in n})
    assert {one.role: one.tensors for one in report.only_first} == {
        "position_ids": 1, "other": 1, "vae": 1,
    }  # fmt: skip
    assert not report.only_second
    assert not report.same


def test_another_shape_is_listed_and_not_compared() -> None:
    name = UNET + "time_embed.0.weight"
    report = reported(A, {**A, name: np.zeros((128, 65), "f4")})
    assert [(one.name, one.second) for one in report.misshapen] == [(name, (128, 65))]
    assert name not in [row.name for row in report.tensors]
    assert not report.same


def test_parts_are_found_under_another_prefix() -> None:
    bare = {name.removeprefix(VAE): a for name, a in A.items() if name.startswith(VAE)}
    vae = side(bare)
    identity = side({VAE + name: a for name, a in bare.items()}).identity
    part = replace(identity.parts[0], prefix="", names=tuple(bare))
    alone = replace(vae, identity=replace(identity, parts=(part,)))
    found = align(alone, side(A))
    assert [match.name for match in found.matches] == list(bare)
    assert not found.missing


def test_models_of_two_architectures_are_refused() -> None:
    one, other = side(A), side(B, "xl.safetensors")
    model = replace(other.identity.parts[0], architecture="sdxl")
    parts = (model, *other.identity.parts[1:])
    with pytest.raises(Incompatible, match="Stable Diffusion XL model") as caught:
        align(one, replace(other, identity=replace(other.identity, parts=parts)))
    assert caught.value.exit_code == 13


def test_files_with_nothing_in_common_are_refused() -> None:
    lone = {"something": np.zeros(3, "f4")}
    with pytest.raises(Incompatible, match="no tensor in common"):
        align(side(A), side(lone))


def test_numbers_that_are_none_leave_the_rest_measured() -> None:
    name = UNET + "middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    broken = A[name].copy()
    broken.flat[0] = np.nan
    report = reported(A, {**A, name: broken})
    assert report.overall.not_finite == (0, 1)
    assert report.overall.relative_rms == 0
    assert report.overall.unequal == 1
    assert not report.same
    json.dumps(report.to_json(), allow_nan=False)


def test_zeros_have_no_relative_difference() -> None:
    name = VAE + "decoder.conv_in.weight"
    zeros = np.zeros_like(A[name])
    row = reported({name: zeros}, {name: zeros + 1}).overall
    assert (row.relative_rms, row.distance, row.scale) == (None, None, None)
    assert row.largest == 1


def test_the_document_is_json_with_stable_keys() -> None:
    document = reported(A, B, weights(3, near=A)).to_json()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert list(document) == [
        "files", "same", "metadata_same", "verdicts", "overall", "parts", "blocks", "worst",
        "only_in_a", "only_in_b", "misshapen",
    ]  # fmt: skip


def test_threads_change_nothing() -> None:
    assert reported(A, B, threads=1).to_json() == reported(A, B, threads=4).to_json()


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", "attn2"),
        ("input_blocks.1.1.transformer_blocks.0.norm2.weight", "norm"),
        ("input_blocks.1.0.in_layers.0.weight", "norm"),
        ("input_blocks.1.0.in_layers.2.weight", "conv"),
        ("input_blocks.1.0.emb_layers.1.weight", "emb"),
        ("double_blocks.3.img_mod.lin.weight", "mod"),
        ("double_blocks.3.txt_attn.qkv.weight", "txt attn"),
        ("double_blocks.3.img_attn.norm.query_norm.scale", "norm"),
        ("single_blocks.3.linear1.weight", "proj"),
        ("joint_blocks.0.context_block.adaLN_modulation.1.weight", "mod"),
        ("text_model.encoder.layers.3.mlp.fc1.weight", "ff"),
        ("logit_scale", "other"),
    ],
)
def test_components_are_grouped_by_name(name: str, group: str) -> None:
    assert group_of(name) == group


def test_all_that_can_be_compared_have_letters() -> None:
    assert [letter(n) for n in (0, 1, 2, MOST_CANDIDATES + 1)] == ["A", "B", "C", "Z"]
    with pytest.raises(UsageError) as caught:
        diff("a", "b", ["c"] * (MOST_CANDIDATES + 1))
    assert caught.value.key == "diff.many_files"


def test_an_empty_row_says_nothing() -> None:
    row = row_of("", [])
    assert (row.tensors, row.relative_rms, row.mean, sqrt(row.unequal)) == (0, 0.0, None, 0)


def test_another_layout_is_compared_under_the_names_of_the_first() -> None:
    model = bare_vae()
    table = table_of(identify(model).parts[0])
    assert table is not None
    relaid = relayout(model, table, source="ldm", target="diffusers").tensors
    other = replace(model, tensors=relaid, path=Path("diffusers.safetensors"))
    first, second = side_of(model, identify(model)), side_of(other, identify(other))
    found = align(first, second)
    assert [match.name for match in found.matches] == list(model)
    assert (found.missing, found.extra, found.relaid) == ((), (), ("vae",))
    told = report(compared(first, second, (), found, threads=2))
    assert told.same
    assert [one.kind for one in told.verdicts] == ["same"]
