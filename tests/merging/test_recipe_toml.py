"""Recipes as text: what is read is written again, and what no recipe has is refused by its place."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.errors import UsageError
from kanna.merging import recipe_toml
from kanna.merging.recipe import Recipe, Source, Step, Weight, Wish

SHA = "0123456789abcdef" * 4
WHOLE = f"""
kanna = 1
compat = "a1111"

[models]
a = "anime A.safetensors"
b = {{ path = "sub/realB.safetensors", sha256 = "{SHA.upper()}" }}
c = {{ sha256 = "{SHA}" }}
lora = "style.safetensors"

[[step]]
name = "mix"
method = "add-difference"
models = ["a", "b"]
base = "c"
alpha = {{ value = 0.3, blocks = [0, 0.5, 1], elements = ["attn2=0.1"] }}
block_methods = {{ "IN*" = "slerp" }}
seed = 7

[[step]]
name = "out"
method = "lora"
models = ["mix", "lora"]
weights = [0.8]

[output]
step = "out"
dtype = "fp16"
dtypes = {{ vae = "fp32" }}
prune = true

[axes]
"mix.alpha" = "0.1:0.9:0.4"
"out.weights.1" = [1, 0.5]
"""


def test_everything_that_a_recipe_can_say_is_read() -> None:
    recipe = recipe_toml.read(WHOLE)
    assert recipe == Recipe(
        sources={
            "a": Source(path="anime A.safetensors"),
            "b": Source(path="sub/realB.safetensors", sha256=SHA),
            "c": Source(sha256=SHA), "lora": Source(path="style.safetensors"),
        },
        steps=(
            Step(
                name="mix", method="add-difference", models=("a", "b"), base="c", seed=7,
                parameters={"alpha": Weight(value=0.3, blocks="0,0.5,1", elements=("attn2=0.1",))},
                block_methods={"IN*": "slerp"},
            ),
            Step(name="out", method="lora", models=("mix", "lora"),
                 parameters={"weights": (Weight(value=0.8),)}),
        ),
        output=Wish(step="out", dtype="fp16", dtypes={"vae": "fp32"}, prune=True),
        compat="a1111",
        axes={"mix.alpha": (0.1, 0.5, 0.9), "out.weights.1": (1.0, 0.5)},
    )  # fmt: skip
    assert recipe_toml.read(recipe_toml.write(recipe)) == recipe


names = st.from_regex(r"[\w-]{1,20}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
paths = texts.filter(lambda text: text and "\0" not in text)
numbers = st.floats(-1e9, 1e9)
weights = st.builds(
    Weight, value=numbers, blocks=texts, elements=st.lists(texts, max_size=3).map(tuple)
)
values = (
    weights | st.booleans() | st.integers(-(2**62), 2**62) | texts
    | st.lists(weights, max_size=4).map(tuple)
)  # fmt: skip
parameters = st.dictionaries(
    names.filter(lambda name: name not in recipe_toml.STEP_KEYS), values, max_size=4
)
sources = st.builds(Source, path=paths, sha256=st.none() | st.just(SHA)) | st.just(
    Source(sha256=SHA)
)
steps = st.builds(
    Step, name=names, method=texts, models=st.lists(names, max_size=4).map(tuple),
    base=st.none() | names, parameters=parameters,
    block_methods=st.dictionaries(texts, texts, max_size=3), seed=st.integers(0, 2**62),
)  # fmt: skip
wishes = st.builds(
    Wish, step=texts, path=st.none() | texts, container=st.none() | texts,
    dtype=st.none() | texts, dtypes=st.dictionaries(texts, texts, max_size=3), vae=texts,
    ema=texts, prune=st.booleans(), position_ids=texts, missing=texts,
)  # fmt: skip
recipes = st.builds(
    Recipe, sources=st.dictionaries(names, sources, max_size=5),
    steps=st.lists(steps, max_size=4).map(tuple), output=wishes,
    compat=st.sampled_from([None, "a1111"]),
    axes=st.dictionaries(texts, st.lists(numbers, max_size=4).map(tuple), max_size=3),
)  # fmt: skip


@given(recipes)
@settings(max_examples=50)
def test_what_is_written_is_read_back_as_it_was(recipe: Recipe) -> None:
    text = recipe_toml.write(recipe)
    again = recipe_toml.read(text)
    assert again == recipe
    assert recipe_toml.write(again) == text
    tomllib.loads(text)


def test_equal_recipes_are_one_text() -> None:
    recipe = recipe_toml.read(WHOLE)
    turned = replace(recipe, sources=dict(reversed(list(recipe.sources.items()))))
    assert recipe_toml.write(turned) == recipe_toml.write(recipe)


def test_a_name_that_is_no_text_can_be_written() -> None:
    recipe = Recipe(sources={"a": Source(path="caf\udce9.ckpt")}, steps=())
    assert recipe_toml.read(recipe_toml.write(recipe)).sources["a"].path == "caf\ufffd.ckpt"


STEP = '[[step]]\nname = "m"\nmethod = "copy"\nmodels = ["a"]\n'


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("kanna = 1\n[model]\n", "recipe.unknown_key_near", "models"),
        ("kanna = 1\nquark = 1", "recipe.unknown_key", "quark"),
        ("kanna = 1\n[output]\ndtyp = 'fp16'", "recipe.unknown_key_near", "output.dtyp"),
        (f"kanna = 1\n{STEP}modls = 1979-05-27", "recipe.unknown_key_near", "step[1].modls"),
        (f"kanna = 1\n{STEP}alpha = {{ valu = 1 }}", "recipe.unknown_key_near", "step[1].alpha.valu"),
        (f"kanna = 1\n{STEP}alpha = {{ blocks = 'x' }}", "recipe.key_missing", "step[1].alpha.value"),
        (f"kanna = 1\n{STEP}alpha = inf", "recipe.no_number", "step[1].alpha"),
        (f"kanna = 1\n{STEP}weights = [0.5, true]", "recipe.no_number", "step[1].weights[2]"),
        (f"kanna = 1\n{STEP}seed = 1.5", "recipe.no_count", "step[1].seed"),
        (f"kanna = 1\n{STEP}k = {10**30}", "recipe.no_count", "step[1].k"),
        ("kanna = 1\n[[step]]\nname = 'm'", "recipe.key_missing", "step[1].method"),
        ("kanna = 1\n[[step]]\nname = 'a b'", "recipe.bad_name", "a b"),
        ("kanna = 1\nstep = 3", "recipe.no_list", "step"),
        ("kanna = 1\nmodels = 3", "recipe.no_table", "models"),
        ("kanna = 1\n[models]\na = {}", "recipe.empty_source", "models.a"),
        ("kanna = 1\n[models]\na = ''", "recipe.no_path", "models.a"),
        ("kanna = 1\n[models]\na = { sha256 = 'abc' }", "recipe.no_sha256", "abc"),
        ("kanna = 1\n[output]\nprune = 1", "recipe.no_flag", "output.prune"),
        ("kanna = 1\ncompat = 'forge'", "recipe.no_such_word", "a1111"),
        ("kanna = 2", "recipe.other_version", "2"),
        ("kanna = true", "recipe.no_count", "kanna"),
        ("kanna = 1.0", "recipe.no_count", "kanna"),
        (f"kanna = 1\n{STEP}seed = 0x{'f' * 9000}", "recipe.no_toml", "0xfff"),
        (f"kanna = 1\n{STEP}seed = {'1' * 4000}", "recipe.no_toml", "111"),
        ("[models]", "recipe.no_version", "kanna = 1"),
        ("kanna = 1\nx y", "recipe.no_toml", "line 2"),
        ("kanna = 1 #" + "x" * (1 << 20), "recipe.too_long", str(1 << 20)),
        ("kanna = " + "[" * 5000, "recipe.no_toml", "deep"),
        ("kanna = 1\n" + "a." * 400_000 + "b = 1", "recipe.no_toml", "a.b.c"),
        ('kanna = 1\n"x" = { y = """\n""", ' + "a . " * 200_000 + 'b = "z" }', "recipe.no_toml",
         "a.b.c"),
    ],
)  # fmt: skip
def test_what_no_recipe_has_is_refused_with_its_place(text: str, key: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_toml.read(text)
    assert caught.value.key == key
    assert said in str(caught.value)
