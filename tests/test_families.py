from __future__ import annotations

import json
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.errors import FormatError
from kanna.families import Component, component, family, row_called, tables, vocabulary
from kanna.families.keys import expand, expand_lines, fits, packed, parse_line
from kanna.families.loading import HERE, load_names, load_places, load_tables
from kanna.families.schema import check_fields, check_rows
from model_headers import headers, shapes_of

# tools/ is no package: what it holds is run by developers, and loaded by its path here.
SPEC = spec_from_file_location("fold_keys", Path(__file__).parents[1] / "tools" / "fold_keys.py")
assert SPEC is not None
assert SPEC.loader is not None
TOOL = module_from_spec(SPEC)
SPEC.loader.exec_module(TOOL)

WORDS = st.sampled_from(["weight", "bias", "a", "b", "norm", "0", "1", "2", "3", "11"])
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(".".join)
SHAPES = st.lists(st.integers(0, 9), max_size=3).map(tuple)


def rows() -> list[Component]:
    return [component(number) for number in range(len(tables()["components"]))]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.b", ["a.b"]),
        ("a.{0..2}.b", ["a.0.b", "a.1.b", "a.2.b"]),
        ("{x,y}.{1,3..4}", ["x.1", "x.3", "x.4", "y.1", "y.3", "y.4"]),
    ],
)
def test_a_pattern_stands_for_its_names_in_order(pattern: str, names: list[str]) -> None:
    assert expand(pattern) == names


def test_a_star_stands_for_a_weight_and_its_bias() -> None:
    assert list(expand_lines(["a.{0,1}.* [4,3]"])) == [
        ("a.0.weight", (4, 3)), ("a.0.bias", (4,)), ("a.1.weight", (4, 3)), ("a.1.bias", (4,)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "line", "fit"),
    [
        ((320, 4, 3, 3), "x [320,4,3,3]", True),
        ((320, 9, 3, 3), "x [320,4|9,3,3]", True),
        ((320, 8, 3, 3), "x [320,4|9,3,3]", False),
        ((320, 8, 3, 3), "x [320,*,3,3]", True),
        ((512, 512), "x [512,512,1,1]", True),
        ((512, 512, 1, 1), "x [512,512]", True),
        ((512, 512, 1, 3), "x [512,512]", False),
        ((), "x []", True),
        ((0,), "x []", False),
        ((7,), "x", True),
        (packed(3072 * 64), "x [3072,64]", True),
        (packed(3072 * 64), "x [3072,384]", False),
        (packed(3072 * 64), "x [3072,64|384]", True),
    ],
)
def test_a_shape_fits_its_rule(shape: tuple[int, ...], line: str, *, fit: bool) -> None:
    assert fits(shape, parse_line(line)[1]) is fit


@given(st.dictionaries(NAMES, SHAPES, max_size=30))
@settings(deadline=None, max_examples=200)
def test_folding_and_expanding_gives_every_name_and_shape_back(
    shapes: dict[str, tuple[int, ...]],
) -> None:
    expanded = list(expand_lines(TOOL.fold(shapes)))
    assert len(expanded) == len(shapes)
    assert dict(expanded) == shapes


def test_real_headers_fold_to_a_tenth_and_back() -> None:
    shapes = shapes_of("sdxl-base-fp16", "model.diffusion_model.")
    lines = TOOL.fold(shapes)
    assert dict(expand_lines(lines)) == shapes
    assert 10 * len(lines) < len(shapes)


def test_every_row_can_be_recognised_and_says_what_it_is() -> None:
    everywhere = tables()["everywhere"]
    for raw, row in zip(tables()["components"], rows(), strict=True):
        assert row.role in everywhere["order"], row.id
        assert raw.get("any") or raw.get("all") or row.widths, row.id
        if row.role not in {"lora", "training_state", "embedding", "controlnet"}:
            assert row.architecture or row.architectures or row.architecture_choices, row.id


def test_rows_have_names_of_their_own() -> None:
    ids = [row.id for row in rows()]
    assert len(ids) == len(set(ids))
    assert row_called("sd1-unet-ldm").architecture == "sd1"


def test_every_anchor_of_a_key_list_is_in_the_list() -> None:
    for raw, row in zip(tables()["components"], rows(), strict=True):
        if not row.required:
            continue
        known = {**row.required, **row.optional}
        names = [name for line in raw.get("any", ()) for name in expand(parse_line(line)[0])]
        spelled = {new_name(name, row) for name in known} | known.keys()
        assert [name for name in names if name in spelled], row.id


def new_name(name: str, row: Component) -> str:
    for old, new in row.aliases:
        name = name.replace(old, new)
    return name


def test_every_table_names_its_sources() -> None:
    assert [name for name, raw in tables()["families"].items() if not raw.get("sources")] == []


def test_every_metadata_row_names_a_variant_that_the_family_can_have() -> None:
    for name, raw in tables()["families"].items():
        known = {word for row in rows() if row.family == name for word in row.variants}
        own = family(name)
        assert own is not None
        known |= {word for row in own.variants for word in row.names}
        shared = any(row.shared_with for row in own.variants)
        for row in raw.get("metadata", ()):
            assert shared or set(row.get("variants", ())) <= known, (name, row)


@pytest.mark.parametrize(
    ("row", "header", "prefix"),
    [
        ("sd1-unet-ldm", "sd15-fp16-pruned", "model.diffusion_model."),
        ("sdxl-unet-diffusers", "sdxl-unet-diffusers-f16", ""),
        ("sdxl-refiner-unet-ldm", "sdxl-refiner-fp16", "model.diffusion_model."),
        ("flux-bfl", "flux1-schnell-bf16", ""),
        ("sana-600m", "sana-600m-orig-fp32", ""),
        ("clip-g-openclip", "sdxl-base-fp16", "conditioner.embedders.1.model."),
        ("t5xxl", "te-t5xxl-fp16", ""),
        ("vae-dc-ae-f32c32-diffusers", "vae-sana-dcae-diffusers-f32", ""),
    ],
)
def test_a_key_list_is_exactly_what_the_real_file_has(row: str, header: str, prefix: str) -> None:
    known, real = row_called(row), shapes_of(header, prefix)
    assert known.required.keys() <= real.keys() <= {**known.required, **known.optional}.keys()


# Parameters that the makers publish, or that diffusers counts: see the sources of each table.
@pytest.mark.parametrize(
    ("row", "millions"),
    [
        ("sd1-unet-ldm", 859.52), ("sd2-unet-ldm", 865.91), ("sdxl-refiner-unet-diffusers", 2259.5),
        ("vega-unet-ldm", 745.2), ("koala-700m-unet-ldm", 782.8), ("sana-600m-diffusers", 591.7),
        ("sd3-35-large-diffusers", 8056.6 + 89.7), ("auraflow-diffusers", 6833.4),
    ],
)  # fmt: skip
def test_a_key_list_has_as_many_parameters_as_the_model(row: str, millions: float) -> None:
    total = 0
    for rule in row_called(row).required.values():
        size = 1
        for wanted in rule or ():
            size *= wanted if isinstance(wanted, int) else (wanted or [0])[0]
        total += size
    assert total / 1e6 == pytest.approx(millions, rel=2e-4)


def test_a_damaged_cache_is_made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    for path in HERE.glob("**/*.toml"):
        copy = tmp_path / path.relative_to(HERE)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    monkeypatch.setattr("kanna.families.loading.HERE", tmp_path)
    first = load_tables()
    cache = next((tmp_path / "__pycache__").glob("tables-*.json"))
    assert load_tables() == json.loads(json.dumps(first))
    cache.write_text('{"stamp": ')
    assert load_tables()["index"] == first["index"]
    (tmp_path / "sd1.toml").write_text('name = "sd1"\ntitle = "changed"\n')
    assert load_tables()["families"]["sd1"]["title"] == "changed"


def user_table(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    table = folder / "mine.toml"
    table.write_text(text, encoding="utf-8")
    monkeypatch.setattr("kanna.families.loading._user_tables", lambda: [table])
    monkeypatch.setattr("kanna.families.loading._keep", lambda *_: None)
    return table


def test_a_users_table_extends_a_family(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    user_table(
        tmp_path,
        monkeypatch,
        'name = "sd1"\ntitle = "Mine"\n[[component]]\nid = "mine"\nrole = "vae"\nall = ["z.w [1]"]\n',
    )
    document = load_tables()
    assert document["families"]["sd1"]["title"] == "Mine"
    assert "unet-ldm" in document["families"]["sd1"]["keys"]
    ids = [row["id"] for row in document["components"] if row["family"] == "sd1"]
    assert ids[0] == "mine"
    assert "sd1-unet-ldm" in ids


def with_row(lines: str, fields: str = "") -> str:
    return f'name = "mine"\nrole = "vae"\n{fields}\n[[row]]\n{lines}\n'


def with_arrangement(lines: str, name: str = "joined") -> str:
    return (
        f'name = "{name}"\n[[arrangement]]\narchitectures = ["mine"]\nprograms = ["comfyui"]\n{lines}\n'
        '[[arrangement.seat]]\nword = "diffusion_model"\nprefix = "model."\n'
    )


def with_component(lines: str) -> str:
    return f'name = "sd1"\n[[component]]\nid = "mine"\nrole = "vae"\n{lines}\n'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("name = ", ""),
        ("\x00", ""),
        pytest.param(f"name = {'[' * 5000}", "", id="deep"),
        ('title = "no name"', "name"),
        ('name = "mine"', "title"),
        ('name = "mine"\ntitle = 5', "title"),
        ('name = "mine"\ntitle = "Mine"\ncomponent = 5', "component"),
        ('name = "mine"\ntitle = "Mine"\nvae = "sd1"', "vae_prefix"),
        ('name = "mine"\ntitle = "Mine"\ntasks = ["flying"]', "flying"),
        ('name = "mine"\ntitle = "Mine"\nborn = 2024-01-01', "born"),
        ('name = "everywhere"\nkinds = ["mine"]', "kinds"),
        ('name = "everywhere"', "everywhere"),
        ('name = "sd1"\n[[component]]\nrole = "vae"', "id"),
        ('name = "sd1"\n[[component]]\nid = "mine"', "role"),
        ('name = "sd1"\n[[component]]\nid = "mine"\nrole = "wings"', "wings"),
        ('name = "sd1"\n[[metadata]]\nkey = "a"', "contains"),
        ('name = "sd1"\n[[peek]]\nany = ["a"]', "deviation"),
        ('name = "sd1"\n[[prediction]]\nname = "v"\nwhy = "because"', "because"),
        ('name = "sd1"\n[[variant]]\nname = "a"\nany = ["a.{x..y}"]', "x..y"),
        ('name = "sd1"\n[[variant]]\nname = "a"\nanyy = ["a"]', "anyy"),
        ('name = "sd1"\n[keys]\nmine = "a.{0..x}.weight [3]"', "0..x"),
        ('name = "sd1"\n[keys]\nmine = "a.weight [3,x]"', ""),
        (with_component('any = ["a.{0..x}"]'), "0..x"),
        (with_component('any = ["a.{0..9999999999}"]'), "0..9999999999"),
        (with_component('any = ["{0..999}.{0..999}.{0..999}"]'), ""),
        (with_component('any = "a"'), "any"),
        (with_component('any = ["a [3,x]"]'), ""),
        (with_component('keys = ["nowhere"]'), "nowhere"),
        (with_component('architectures_by = "nobody"'), "nobody"),
        (with_component('aliases = [["a"]]'), "aliases"),
        (with_component('[[component.variant]]\ntasks = ["flying"]'), "flying"),
        ('name = "sd1"\n[[row]]\na = "x"\nb = "y"', ""),
        ('name = "mine"\nlike = "nobody"\nrole = "vae"\n[[row]]\na = "x"\nb = "y"', "nobody"),
        (with_row('a = "{x,y}"\nb = "y"'), ""),
        (with_row('a = "x"'), ""),
        (with_row('a = "x"\nb = 5'), ""),
        (with_row('a = ["x", "y"]\nb = ["x", "y", "z"]'), ""),
        (with_row('a = ["x", "y"]\nb = "z"\nrows = [1]'), ""),
        (with_row('a = ["x", "y"]\nb = "z"\nswap = true'), ""),
        (with_row('a = "x"\nb = "y"\nc = "z"\nswap = true'), ""),
        (with_row('a = "x"\nb = "y"\nmatrix = "c"'), "c"),
        (with_row('a = "x.{0..last}"\nb = "y.{0..last-1}"'), "last"),
        (with_row('a = "x.{0..later}"\nb = "y.{0..later}"'), "later"),
        (with_row('a = "x"\nb = "y"', 'structure = "tree"'), "tree"),
        (with_row('a = "x"\nb = "y"', 'old = ["a"]\nstandard = "c"'), "c"),
        (with_row('a = "x"\nb = "y"', 'old = ["a"]'), "standard"),
        (with_arrangement("", name="mine"), "mine"),
        (with_arrangement("").replace("comfyui", "paint"), "paint"),
        (with_arrangement("").replace('prefix = "model."', ""), "prefix"),
        (with_arrangement('encoders = "te.{nam}."'), "{nam}"),
        (with_arrangement('encoders = "te.{0}."'), "{0}"),
        (with_arrangement('encoders = "te.{name"'), "te.{name"),
        (with_arrangement('encoders = "te.{name.__class__}."'), "__class__"),
        (with_arrangement('tokenizer = "te.{x}."'), "{x}"),
        (with_arrangement("names = [1]"), "names"),
    ],
)
def test_a_users_broken_table_is_named_with_its_slip(
    text: str, field: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = user_table(tmp_path, monkeypatch, text)
    with pytest.raises(FormatError) as caught:
        load_tables()
    assert caught.value.path == str(table)
    assert field in caught.value.message


def test_a_users_table_says_where_parts_stand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    user_table(tmp_path, monkeypatch, with_arrangement('encoders = "te.{name}."'))
    rows = load_places()["joined"]["arrangement"]
    assert rows[0]["architectures"] == ["mine"]
    assert len(rows) > 1


def test_a_users_table_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "folder.toml").mkdir()
    monkeypatch.setattr("kanna.families.loading._user_tables", lambda: [tmp_path / "folder.toml"])
    with pytest.raises(FormatError):
        load_tables()


# What no user adds to has tests of its own: tables of diffusers folders, and of blocks.
APART = {"diffusers", "block_maps"}
OURS = sorted(path for path in HERE.glob("**/*.toml") if path.parent.name not in APART)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_own_tables_keep_the_rules_that_hold_for_a_users(path: Path) -> None:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    if table["name"] != "everywhere":
        check_fields(table)
        check_rows(table, tables(), load_names(tables()["stamp"])["names"])


def test_the_vocabulary_holds_every_word_that_the_tables_can_say() -> None:
    words = vocabulary()
    assert {row.role for row in rows()} <= words["role"]
    assert set(tables()["everywhere"]["kinds"]) <= words["role"] | words["kind"]
    assert {row.layout for row in rows()} - {None} <= words["layout"]
    tasks = {task for name in tables()["families"] for task in tasks_of(name)}
    assert words["task"] == tasks
    assert {"fp8", "fp8-scaled", "bnb-nf4"} <= words["quantization"]


def tasks_of(name: str) -> set[str]:
    own = family(name)
    assert own is not None
    choices = [c for row in rows() if row.family == name for c in row.variant_choices]
    return {*own.tasks, *(task for choice in (*own.variants, *choices) for task in choice.tasks)}


def test_all_headers_are_there() -> None:
    assert len(headers()) == 169
