"""What outputs say of how they were made: whole, without paths, the same from renamed files."""

from __future__ import annotations

import json
from dataclasses import replace

from kanna.merging import recipe_toml
from kanna.merging.provenance import Origin, base_name, fields, parsed
from kanna.merging.recipe import Recipe, Source, Step, Weight, Wish

A, B, C, V = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
RECIPE = Recipe(
    sources={
        "a": Source(path="/home/me/secret/A.safetensors"), "b": Source(path="D:\\models\\B.ckpt"),
        "c": Source(sha256=C), "v": Source(path="vae.pt"),
    },
    steps=(
        Step(name="mix", method="add-difference", models=("b", "a"), base="c", seed=5,
             parameters={"alpha": Weight(value=0.3, blocks="GRAD_V", elements=("attn2=0.1",))}),
    ),
    output=Wish(path="/home/me/out.safetensors", dtype="fp16", vae="v", container="ckpt"),
    compat="a1111", axes={"mix.alpha": (0.1, 0.2)},
)  # fmt: skip
ORIGINS = {
    "a": Origin(name="A.safetensors", sha256=A, legacy_hash="0123abcd"),
    "b": Origin(name="B.ckpt", sha256=B),
    "c": Origin(name="found.safetensors", sha256=C),
    "v": Origin(name="vae.pt", sha256=V),
}


def test_the_whole_recipe_is_there_without_a_path() -> None:
    made = fields(RECIPE, ORIGINS)
    assert "/home" not in json.dumps(made)
    assert "models" not in made["kanna.recipe"].replace("[models]", "").replace("models =", "")
    again = recipe_toml.read(made["kanna.recipe"])
    assert again.sources == {
        "a": Source(path="A.safetensors", sha256=A), "b": Source(path="B.ckpt", sha256=B),
        "c": Source(path="found.safetensors", sha256=C), "v": Source(path="vae.pt", sha256=V),
    }  # fmt: skip
    assert again.steps == RECIPE.steps
    assert again.output == replace(RECIPE.output, path=None)
    assert (again.compat, dict(again.axes)) == ("a1111", {})


def test_renamed_files_make_the_same_fields() -> None:
    made = fields(RECIPE, ORIGINS)
    renamed = {key: replace(origin, name=f"x{key}.bin") for key, origin in ORIGINS.items()}
    assert fields(recipe_toml.read(made["kanna.recipe"]), renamed) == made


def test_a1111_is_told_in_its_own_words() -> None:
    merged = json.loads(fields(RECIPE, ORIGINS, inpainting=True)["sd_merge_recipe"])
    assert merged == {
        "type": "kanna", "primary_model_hash": B, "secondary_model_hash": A,
        "tertiary_model_hash": C, "interp_method": "Add difference", "multiplier": 0.3,
        "save_as_half": True, "custom_name": "", "config_source": None, "bake_in_vae": "vae.pt",
        "discard_weights": "", "is_inpainting": True, "is_instruct_pix2pix": False,
    }  # fmt: skip


def test_recipes_of_ancestors_are_carried_along() -> None:
    first = fields(RECIPE, ORIGINS)
    second = replace(RECIPE, sources={"a": Source(path="m.ckpt"), "b": Source(path="B.ckpt"),
                                      "c": Source(sha256=C), "v": Source(path="vae.pt")})  # fmt: skip
    merged = Origin(name="m.ckpt", sha256="e" * 64, metadata=first)
    models = json.loads(fields(second, {**ORIGINS, "a": merged})["sd_merge_models"])
    assert models.keys() == {A, B, C, V, "e" * 64}
    assert models["e" * 64]["sd_merge_recipe"]["multiplier"] == 0.3
    assert models["e" * 64]["kanna.recipe"] == first["kanna.recipe"]
    assert models[A] == {
        "name": "A.safetensors",
        "legacy_hash": "0123abcd",
        "sd_merge_recipe": None,
    }


def test_what_strangers_wrote_stays_small() -> None:
    swollen = {
        "sd_merge_recipe": json.dumps({"x": "y" * 100_000}),
        "sd_merge_models": json.dumps(
            {f"{number:064}": {"name": "z" * 1000} for number in range(5000)} | {"short": {}}
        ),
        "kanna.recipe": "k" * 100_000,
    }
    made = fields(RECIPE, {**ORIGINS, "a": replace(ORIGINS["a"], metadata=swollen)})
    models = json.loads(made["sd_merge_models"])
    assert models[A]["sd_merge_recipe"] is None
    assert "kanna.recipe" not in models[A]
    assert len(models) <= 256
    deep = replace(
        ORIGINS["a"], metadata={"sd_merge_models": "[" * 100_000, "sd_merge_recipe": "NaN"}
    )
    assert json.loads(fields(RECIPE, {**ORIGINS, "a": deep})["sd_merge_models"])


def test_only_objects_count_as_recipes() -> None:
    assert parsed('{"a": 1}') == {"a": 1}
    assert parsed('{"a": [[]]}') == {"a": [[]]}
    assert parsed('{"a": ' + "[" * 40 + "]" * 40 + "}") is None  # what cannot be written again
    assert parsed("[1]") is parsed("{") is parsed(None) is parsed('{"a": NaN}') is None


def test_base_names_of_every_system() -> None:
    assert base_name("/a/b.ckpt") == base_name("C:\\a\\b.ckpt") == base_name("b.ckpt") == "b.ckpt"
    assert base_name("hf://user/repo/b.ckpt") == "b.ckpt"
    assert base_name("..") == base_name("/") == base_name("\0") == "model"
    assert base_name("a\0/b\x1b[2J\n.ckpt") == "b[2J.ckpt"


def test_outputs_that_are_merged_again_and_again_do_not_grow_for_ever() -> None:
    sizes, metadata = [], dict[str, str]()
    for number in range(270):
        own = Origin(name="mix.safetensors", sha256=f"{number:064x}", metadata=metadata)
        metadata = fields(RECIPE, {**ORIGINS, "a": own})
        sizes.append(sum(map(len, metadata.values())))
    assert sizes[1] < sizes[100]
    assert sizes[-1] == sizes[-2] < 1 << 20


def test_many_models_with_much_to_say_stay_small_together() -> None:
    swollen = {"kanna.recipe": "k" * 60_000, "sd_merge_recipe": json.dumps({"x": "y" * 60_000})}
    names = [f"m{number}" for number in range(200)]
    many = Recipe(
        sources={name: Source(path=name) for name in names},
        steps=(Step(name="mix", method="weighted-sum", models=tuple(names)),),
    )
    origins = {
        name: Origin(name=name, sha256=f"{number:064x}", metadata=swollen)
        for number, name in enumerate(names)
    }
    made = fields(many, origins)
    models = json.loads(made["sd_merge_models"])
    assert len(models) == len(names)
    assert "kanna.recipe" in models[f"{0:064x}"]
    assert len(made["sd_merge_models"]) < 2 << 20
