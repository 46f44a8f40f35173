"""Recipes of A1111, SuperMerger, sd-mecha and mergekit, read as what those programs computed."""

from __future__ import annotations

import json
import warnings
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from kanna.errors import KannaError, UsageError
from kanna.families.blocks import blocks_of
from kanna.identify import identify
from kanna.merging import recipe_toml
from kanna.merging.element_text import parse_elements
from kanna.merging.foreign import Foreign, in_metadata, in_text
from kanna.merging.recipe import Recipe, Source, Step, Weight, Wish
from kanna.merging.recipe_check import check
from models import full_checkpoint

A, B, C = "a" * 64, "b" * 64, "c" * 64
MODELS = json.dumps({
    A: {"name": "folder/A.safetensors", "legacy_hash": "01234567", "sd_merge_recipe": None},
    B: {"name": "..\\B.ckpt"},
})  # fmt: skip
WEBUI = {
    "type": "webui", "primary_model_hash": A, "secondary_model_hash": B,
    "tertiary_model_hash": C, "interp_method": "Add difference", "multiplier": 0.3,
    "save_as_half": True, "custom_name": "x", "config_source": 0, "bake_in_vae": "None",
    "discard_weights": "", "is_inpainting": False, "is_instruct_pix2pix": False,
}  # fmt: skip
SOURCES = {
    "a": Source(path="A.safetensors", sha256=A), "b": Source(path="B.ckpt", sha256=B),
    "c": Source(sha256=C),
}  # fmt: skip


def metadata(**changes: object) -> dict[str, str]:
    return {"sd_merge_recipe": json.dumps({**WEBUI, **changes}), "sd_merge_models": MODELS}


def found_in(fields: dict[str, str]) -> Foreign:
    found = in_metadata(fields)
    assert found is not None
    return found


def test_a1111_add_difference() -> None:
    found = found_in(metadata())
    step = Step(name="merge", method="add-difference", models=("a", "b"), base="c",
                parameters={"alpha": Weight(value=0.3)})  # fmt: skip
    assert (found.program, found.notes) == ("a1111", ())
    assert found.recipe == Recipe(
        sources=SOURCES, steps=(step,), output=Wish(dtype="fp16"), compat="a1111"
    )
    check(found.recipe)


def test_a1111_weighted_sum_with_a_vae_and_discarded_weights() -> None:
    found = found_in(metadata(interp_method="Weighted sum", bake_in_vae="sub/kl-f8.pt",
                              discard_weights="model_ema", save_as_half=False))  # fmt: skip
    assert found.recipe.sources.keys() == {"a", "b", "vae"}
    assert found.recipe.sources["vae"] == Source(path="kl-f8.pt")
    assert found.recipe.output == Wish(vae="vae")
    assert [note.key for note in found.notes] == ["recipe.foreign_discard", "recipe.foreign_vae"]
    check(found.recipe)


def test_a1111_conversion_alone() -> None:
    found = found_in(metadata(interp_method="No interpolation", secondary_model_hash=None))
    assert found.recipe.sources.keys() == {"a"}
    assert found.recipe.compat is None
    check(found.recipe)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"type": "merge-models-chattiori"}, "recipe.foreign_type"),
        ({"interp_method": "Sigmoid"}, "recipe.foreign_method"),
        ({"primary_model_hash": None}, "recipe.no_sha256"),
        ({"primary_model_hash": "../../etc/passwd"}, "recipe.no_sha256"),
        ({"multiplier": "much"}, "recipe.no_number"),
        ({"multiplier": True}, "recipe.no_number"),
        ({"multiplier": 10**4000}, "recipe.no_number"),
    ],
)
def test_what_a1111_never_wrote_is_refused(changes: dict[str, object], key: str) -> None:
    with pytest.raises(UsageError) as caught:
        in_metadata(metadata(**changes))
    assert caught.value.key == key
    assert len(str(caught.value)) < 500


def test_names_that_strangers_gave_can_be_looked_for_and_written() -> None:
    models = json.dumps({A: {"name": "x/\x1b[2J\0a.ckpt"}, B: {"name": 3}})
    recipe = found_in({**metadata(bake_in_vae="..\\v\0.pt"), "sd_merge_models": models}).recipe
    paths = {name: source.path for name, source in recipe.sources.items()}
    assert paths == {"a": "[2Ja.ckpt", "b": None, "c": None, "vae": "v.pt"}
    assert recipe_toml.read(recipe_toml.write(recipe)) == recipe


SUPER = {
    "type": "sd-webui-supermerger", "weights_alpha": [0.1] * 12 + [0.25] * 13,
    "weights_beta": None, "weights_alpha_orig": "GRAD_V", "weights_beta_orig": None,
    "model_a": A, "model_b": B, "model_c": C, "base_alpha": 0.5, "base_beta": 0.25,
    "mode": "Add difference:A+(B-C)*alpha", "mbw": True, "elemental_merge": "",
    "calcmode": "normal", "Off": [""],
}  # fmt: skip


def supermerger(**changes: object) -> Foreign:
    return found_in(
        {"sd_merge_recipe": json.dumps({**SUPER, **changes}), "sd_merge_models": MODELS}
    )


def test_supermerger_block_weights_begin_with_the_base() -> None:
    found = supermerger()
    (step,) = found.recipe.steps
    blocks = ",".join(["0.5", *["0.1"] * 12, *["0.25"] * 13])
    assert step == Step(name="merge", method="add-difference", models=("a", "b"), base="c",
                        parameters={"alpha": Weight(value=0.5, blocks=blocks)})  # fmt: skip
    assert found.recipe.sources == SOURCES
    check(found.recipe)


def test_supermerger_elements_are_rules_for_alpha() -> None:
    rules = ("IN00-IN05:attn1:0.3", "NOT OUT04:attn:1")
    for given in (list(rules), "\n".join(rules), ",".join(rules)):
        (step,) = supermerger(elemental_merge=given, mbw=False).recipe.steps
        assert step.parameters["alpha"] == Weight(value=0.5, elements=rules)
    model = full_checkpoint()
    assert len(parse_elements(rules, blocks_of(model, identify(model)))) == len(rules)


@pytest.mark.parametrize(
    ("calcmode", "mode", "method", "parameters"),
    [
        ("normal", "Weight sum:A*(1-alpha)+B*alpha", "weighted-sum", {"alpha"}),
        ("normal", "Triple sum:A*(1-alpha-beta)+B*alpha+C*beta", "triple-sum", {"alpha", "beta"}),
        ("normal", "sum Twice:(A*(1-alpha)+B*alpha)*(1-beta)+C*beta", "sum-twice",
         {"alpha", "beta"}),
        ("cosineA", "Weight sum:…", "cosine-a", {"alpha"}),
        ("trainDifference", "Add difference:…", "train-difference", {"alpha"}),
        ("smoothAdd MT", "Add difference:…", "smooth-add-difference", {"alpha"}),
        ("tensor", "Weight sum:…", "tensor-sum", {"alpha", "beta"}),
        ("self", "Weight sum:…", "self-scale", {"alpha"}),
    ],
)  # fmt: skip
def test_supermerger_modes(calcmode: str, mode: str, method: str, parameters: set[str]) -> None:
    recipe = supermerger(calcmode=calcmode, mode=mode, mbw=False, weights_alpha=None).recipe
    (step,) = recipe.steps
    assert (step.method, set(step.parameters)) == (method, parameters)
    assert step.parameters["alpha"] == Weight(value=0.5)
    check(recipe)


@pytest.mark.parametrize(
    ("changes", "key", "told"),
    [
        ({"calcmode": "plus random"}, "recipe.foreign_method", "plus random"),
        ({"calcmode": "cosineA"}, "recipe.foreign_method", "cosineA"),
        ({"elemental_merge": ["IN00:attn1"]}, "recipe.foreign_rule", "elemental_merge"),
        ({"elemental_merge": "IN00:attn1:R"}, "recipe.no_number", "elemental_merge"),
        ({"Exclude": ["IN00"]}, "recipe.foreign_rule", "Exclude"),
        ({"weights_alpha": [0.1, None]}, "recipe.no_number", "weights_alpha"),
        ({"base_alpha": None}, "recipe.no_number", "base_alpha"),
    ],
)
def test_what_supermerger_does_alone_is_refused(
    changes: dict[str, object], key: str, told: str
) -> None:
    with pytest.raises(UsageError) as caught:
        supermerger(**changes)
    assert caught.value.key == key
    assert told in str(caught.value)


@pytest.fixture(scope="module")
def mecha() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("sd_mecha")


def of_mecha(mecha: ModuleType, node: Any) -> Recipe:
    """What a node of sd-mecha is, written by sd-mecha itself."""
    found = in_text(mecha.serialize(node, finalize=False))
    assert found.program == "sd-mecha"
    check(found.recipe)
    return found.recipe


def model(mecha: ModuleType, name: str) -> Any:
    return mecha.model(f"{name}.safetensors", merge_space="weight")


def test_mecha_weighted_sums_stand_one_on_another(mecha: ModuleType) -> None:
    a, b, c = (model(mecha, f'my "best" {n}\\v1') for n in "abc")
    inner = mecha.weighted_sum(a, b, alpha=0.3)
    recipe = of_mecha(mecha, mecha.slerp(inner, c))
    assert [source.path for source in recipe.sources.values()] == [
        f'my "best" {n}\\v1.safetensors' for n in "abc"
    ]
    assert recipe.steps == (
        Step(name="step1", method="weighted-sum", models=("a", "b"),
             parameters={"alpha": Weight(value=0.3)}),
        Step(name="step2", method="slerp", models=("step1", "c"),
             parameters={"alpha": Weight(value=0.5), "length": "mixed"}),
    )  # fmt: skip
    assert recipe.output.step == "step2"


def test_mecha_differences_have_a_base(mecha: ModuleType) -> None:
    a, b, c = (model(mecha, n) for n in "abc")
    (step,) = of_mecha(mecha, mecha.add_difference(a, b, c, alpha=0.5)).steps
    assert step == Step(name="step1", method="add-difference", models=("a", "b"), base="c",
                        parameters={"alpha": Weight(value=0.5)})  # fmt: skip
    added = mecha.extensions.merge_methods.resolve("add_difference")
    ties = mecha.ties_sum(mecha.subtract(a, c), mecha.subtract(b, c), k=0.2)
    (step,) = of_mecha(mecha, added(c, ties, alpha=0.7)).steps
    assert step.method == "ties"
    assert len(step.models) == 2
    assert step.base not in step.models
    assert step.parameters["density"] == (Weight(value=0.2),) * 2
    assert step.parameters["scale"] == Weight(value=0.7)


def test_mecha_numbers_by_block(mecha: ModuleType) -> None:
    a, b = model(mecha, "a"), model(mecha, "b")
    node = mecha.weighted_sum(a, b, alpha={"BASE": 0.5, "IN00": 1.0, "OUT11": 0.25})
    (step,) = of_mecha(mecha, node).steps
    assert step.parameters["alpha"] == Weight(value=0.5, blocks="BASE=0.5,IN00=1,OUT11=0.25")


@pytest.mark.parametrize("method", ["n_average", "geometric_sum", "crossover"])
def test_mecha_methods_that_exist_here(mecha: ModuleType, method: str) -> None:
    of_mecha(mecha, getattr(mecha, method)(*(model(mecha, n) for n in "ab")))


def test_mecha_clamps(mecha: ModuleType) -> None:
    a, b, c = (model(mecha, n) for n in "abc")
    recipe = of_mecha(mecha, mecha.add_difference(a, b, c, clamp_to_ab=True))
    assert [step.method for step in recipe.steps] == ["add-difference", "clip"]
    assert recipe.steps[1].models == ("step1", "a", "b")


def test_mecha_in_metadata_loses_its_folders(mecha: ModuleType) -> None:
    node = mecha.weighted_sum(model(mecha, "/etc/a"), model(mecha, "..\\b"))
    found = found_in({"mecha_recipe": mecha.serialize(node, finalize=False)})
    paths = [source.path for source in found.recipe.sources.values()]
    assert paths == ["a.safetensors", "b.safetensors"]


HEAD = 'version 0.1.0\nmodel "a"\nmodel "b"\n'


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        (HEAD + 'merge "rebasin" &0 &1', "recipe.foreign_method", "rebasin"),
        (HEAD + 'merge "add_cosine_a" &0 &1', "recipe.foreign_method", "4"),
        (HEAD + 'merge "weighted_sum" &0 &9', "recipe.foreign_line", "4"),
        (HEAD + 'merge "weighted_sum" &0 "b', "recipe.foreign_line", "4"),
        (HEAD + 'merge "weighted_sum" &0 &1 alpha=much', "recipe.no_number", "much"),
        (HEAD + 'merge "add_difference" &0 &1', "recipe.foreign_method", "add_difference"),
        (HEAD + "quark 1", "recipe.foreign_method", "quark"),
        (HEAD, "recipe.no_steps", "step"),
        ("version 9.0", "recipe.foreign_version", "0.1.0"),
    ],
)
def test_what_mecha_does_alone_is_refused_by_its_line(text: str, key: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        in_text(text)
    assert caught.value.key == key
    assert told in str(caught.value)


MERGEKIT = """
merge_method: ties
base_model: base.safetensors
models:
  - model: a.safetensors
    parameters: {weight: 0.5, density: 0.3}
  - model: b.safetensors
    parameters: {weight: 0.25}
  - model: base.safetensors
parameters: {normalize: true, lambda: 0.9}
dtype: float16
"""


def test_mergekit_ties() -> None:
    found = in_text(MERGEKIT)
    assert found.program == "mergekit"
    (step,) = found.recipe.steps
    assert step == Step(
        name="merge", method="ties", models=("m1", "m2"), base="base",
        parameters={
            "weights": (Weight(value=0.5), Weight(value=0.25)),
            "density": (Weight(value=0.3), Weight(value=1.0)), "normalize": True,
            "scale": Weight(value=0.9),
        },
    )  # fmt: skip
    assert found.recipe.sources["base"] == Source(path="base.safetensors")
    assert found.recipe.output.dtype == "fp16"
    check(found.recipe)


@pytest.mark.parametrize("method", ["linear", "task_arithmetic", "sce", "model_stock"])
def test_mergekit_methods_that_exist_here(method: str) -> None:
    base = "" if method == "linear" else "base_model: c\n"
    check(in_text(f"merge_method: {method}\n{base}models:\n- model: a\n- model: b\n").recipe)


def test_mergekit_slerp_begins_at_its_base() -> None:
    text = (
        "merge_method: slerp\nbase_model: b\nmodels:\n- model: a\n- model: b\nparameters: {t: 0.2}"
    )
    recipe = in_text(text).recipe
    assert [recipe.sources[name].path for name in recipe.steps[0].models] == ["b", "a"]
    assert recipe.steps[0].parameters == {
        "alpha": Weight(value=0.2), "threshold": Weight(value=0.9995),
    }  # fmt: skip
    check(recipe)


@pytest.mark.parametrize(
    "text",
    [
        "merge_method: passthrough\nslices: []", "merge_method: dare_ties\nmodels: []",
        "merge_method: linear\nmodels: 3", "merge_method: linear\nmodels:\n- model: {lora: x}",
        "merge_method: linear\nmodels:\n- model: a\n  parameters: {weight: [0, 1]}",
        "merge_method: linear\nmodels:\n- model: a\n  parameters: {rope: 1}",
        "merge_method: !!python/object:os.system x", "merge_method: linear\nmodels: [a]",
        "{", '{"type": "webui"}', "nothing of the kind",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(KannaError):
        in_text(text)


def test_our_own_recipe_comes_first_and_brings_no_paths() -> None:
    text = 'kanna = 1\n[models]\na = "/etc/passwd"\n[output]\npath = "/etc/cron"\n'
    found = found_in({**metadata(), "kanna.recipe": text})
    assert found.program == "kanna"
    assert found.recipe.sources == {"a": Source(path="passwd")}
    assert found.recipe.output.path is None
    assert in_text(text).recipe.sources["a"].path == "/etc/passwd"
    assert in_metadata({"format": "pt"}) is None
