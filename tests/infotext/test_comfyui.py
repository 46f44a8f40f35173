"""ComfyUI: changes in both graphs, A1111's text beside them, and graphs that nobody would draw."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infotext_corpus import Case, cases
from kanna.errors import Incompatible
from kanna.infotext import open_texts
from kanna.infotext.comfyui_nodes import node_table
from kanna.infotext.editable import Editable
from kanna.infotext.info import Role
from kanna.pictures.picture import PictureText

BY_NAME = {case.name.removeprefix("comfyui: "): case for case in cases("comfyui")}
PARAMETERS = (
    "{prompt}\nNegative prompt: {negative}\nSteps: 20, Sampler: Euler, CFG scale: 8.0, "
    "Seed: 156680208700286, Size: 512x768, Model: v1-5-pruned-emaonly, Model hash: cc6cb27103"
)


def text(keyword: str, value: object) -> PictureText:
    written = value if isinstance(value, str) else json.dumps(value)
    return PictureText(place="tEXt", keyword=keyword, text=written)


def opened(*texts: PictureText) -> Editable:
    found = open_texts(texts)
    assert found is not None
    return found


def documents(editable: Editable) -> dict[str, Any]:
    return {one.keyword: json.loads(one.text) for one in editable.texts()}


def the(name: str) -> Case:
    return BY_NAME[name]


def test_a_change_is_made_in_what_ran_and_in_what_was_drawn() -> None:
    case = the("the default graph")
    changed = opened(*case.texts).with_prompt("雪").with_parameter("seed", "5")
    found = documents(changed.with_parameter("KSampler#3.cfg", "6.5"))
    assert found["prompt"]["6"]["inputs"]["text"] == "雪"
    assert found["prompt"]["3"]["inputs"]["seed"] == 5
    nodes = {node["id"]: node for node in found["workflow"]["nodes"]}
    assert nodes[6]["widgets_values"] == ["雪"]
    assert nodes[3]["widgets_values"] == [5, "randomize", 20, 6.5, "euler", "normal", 1]
    assert nodes[7]["widgets_values"] == [case.info.negative]


def test_a_drawn_value_that_was_not_the_one_that_ran_is_left_alone() -> None:
    prompt, workflow = the("the default graph").texts
    other = text("workflow", workflow.text.replace("156680208700286", "42"))
    found = documents(opened(prompt, other).with_parameter("seed", "5"))
    assert found["prompt"]["3"]["inputs"]["seed"] == 5
    assert '[42, "randomize"' in json.dumps(found["workflow"])


def test_a_value_that_a_subgraph_shows_is_changed_where_it_is_shown() -> None:
    changed = opened(*the("the same subgraph as it ran").texts).with_prompt("霧")
    found = documents(changed.with_parameter("width", "640"))
    shown = found["workflow"]["nodes"][2]["widgets_values"]
    assert shown == ["qwen_image_fp8.safetensors", "霧", 640, 8]
    assert found["prompt"]["75:5"]["inputs"]["width"] == 640


def test_a_prompt_that_is_joined_of_several_texts_has_no_single_place() -> None:
    editable = opened(*the("FLUX: a guider, noise and sigmas of their own, joined text").texts)
    with pytest.raises(Incompatible, match="no single place"):
        editable.with_prompt("x")
    changed = editable.with_parameter("StringConcatenate#12.delimiter", " / ")
    assert changed.info.prompt == "a cat / 夕焼け"


def test_nothing_can_be_taken_out_of_a_graph() -> None:
    editable = opened(*the("the default graph").texts)
    for key in ("seed", "steps", "SaveImage#9.filename_prefix"):
        with pytest.raises(Incompatible, match="cannot be taken out"):
            editable.without_parameter(key)
    with pytest.raises(Incompatible):
        editable.with_parameter("my own", "1")


def both(prompt: str | None = None) -> Editable:
    case = the("the default graph")
    info = case.info
    parameters = PARAMETERS.format(prompt=prompt or info.prompt, negative=info.negative)
    return opened(*case.texts, text("parameters", parameters))


def test_the_text_of_a_saving_node_is_read_and_the_graph_adds_what_it_lacks() -> None:
    info = both("another").info
    assert (info.dialect, info.prompt, info.sampler) == ("comfyui", "another", "Euler")
    assert info.prompts["workflow"] == the("the default graph").info.prompt
    roles = [(one.role, one.name) for one in info.models]
    assert roles[0] == ("checkpoint", "v1-5-pruned-emaonly")
    assert ("checkpoint", "v1-5-pruned-emaonly.ckpt") not in roles
    assert ("embedding", "EasyNegative") in roles
    assert info.models[0].digest == "cc6cb27103"
    assert (info.scheduler, info.denoising_strength) == ("normal", 1.0)
    keys = [one.key for one in info.parameters]
    assert keys.index("Steps") < keys.index("steps")


def test_what_text_and_graph_both_said_both_say_after_a_change() -> None:
    changed = both().with_prompt("雪").with_negative("雨").with_parameter("Seed", "5")
    found = {one.keyword: one.text for one in changed.texts()}
    assert found["parameters"].startswith("雪\nNegative prompt: 雨\n")
    assert "Seed: 5," in found["parameters"]
    graph = json.loads(found["prompt"])
    assert (graph["6"]["inputs"]["text"], graph["7"]["inputs"]["text"]) == ("雪", "雨")
    assert graph["3"]["inputs"]["seed"] == 5
    assert changed.info.seed == 5


def test_what_differed_in_the_graph_is_left_alone() -> None:
    changed = both("another").with_prompt("雪").with_parameter("scheduler", "karras")
    graph = json.loads(changed.texts()[0].text)
    assert graph["6"]["inputs"]["text"] == the("the default graph").info.prompt
    assert graph["3"]["inputs"]["scheduler"] == "karras"
    gone = changed.without_parameter("Model hash")
    assert "Model hash" not in gone.texts()[2].text
    with pytest.raises(Incompatible):
        gone.without_parameter("scheduler")


def test_a_graph_whose_prompt_looks_like_a1111s_text_is_a_graph() -> None:
    prompt, workflow = the("WebP: EXIF Make and Model").texts
    words = prompt.text.replace("text, watermark", "x\\nNegative prompt: y\\nSteps: 5, Seed: 6")
    changed = opened(text("Make", words), workflow).with_prompt("雪")
    assert changed.texts()[0].text.startswith("prompt:{")
    assert changed.info.seed == 156680208700286


def test_the_other_graph_is_read_where_one_is_damaged() -> None:
    prompt, workflow = the("the default graph").texts
    info = opened(text("prompt", prompt.text[:-5]), workflow).info
    assert info.seed == 156680208700286
    assert [one.values for one in info.notes] == [{"name": "prompt"}]


def node(kind: str, **inputs: object) -> dict[str, object]:
    return {"class_type": kind, "inputs": inputs}


SAMPLER = {"seed": 1, "steps": 2, "cfg": 3, "sampler_name": "x", "scheduler": "y", "denoise": 1}


def hostile() -> dict[str, dict[str, Any]]:
    save = {"s": node("SaveImage", images=["k", 0], filename_prefix="")}
    chain = {
        str(n): node(
            "ConditioningCombine", conditioning_1=[str(n + 1), 0], conditioning_2=[str(n + 1), 0]
        )
        for n in range(3000)
    }
    doubled = {
        str(n): node(
            "StringConcatenate", string_a=[str(n + 1), 0], string_b=[str(n + 1), 0], delimiter=""
        )
        for n in range(60)
    }
    switches = {
        "a": node("ImpactSwitch", select=["a", 0], input1=["b", 0]),
        "b": node("ComfySwitchNode", switch=["a", 0], on_true=["a", 0], on_false=["b", 0]),
    }
    sampler = {
        "k": node("KSampler", **SAMPLER, model=["k", 0], positive=["0", 0], negative=["0", 1])
    }
    return {
        "a ring of nodes that hand on": {
            **save, **sampler, "0": node("Reroute", x=["1", 0]), "1": node("Reroute", x=["0", 0]),
        },
        "a ring of conditionings": {**save, **sampler, "0": node("ConditioningCombine", a=["0", 0], b=["k", 0])},
        "thousands in a row, each doubled": {**save, **sampler, **chain},
        "a text doubled sixty times": {
            **save, **sampler, **doubled, "60": node("Text Multiline", text="x" * 500),
            "0": node("CLIPTextEncode", text=["1", 0]),
        },
        "switches that choose themselves": {**save, **sampler, **switches, "0": node("X", a=["a", 0])},
        "nodes that are not there": {**save, "k": node("KSampler", **SAMPLER, positive=["gone", 9])},
        "no inputs": {"s": {"class_type": "SaveImage"}, "k": {"class_type": "KSampler", "inputs": 5}},
        "thousands of ends": {
            **sampler, **{f"s{n}": node("SaveImage", images=["k", 0]) for n in range(4000)},
        },
        "one node with thousands of inputs": {
            **save, "k": node("KSampler", **SAMPLER, **{f"lora_{n}": ["s", n] for n in range(4000)}),
        },
    }  # fmt: skip


@pytest.mark.parametrize("name", hostile())
def test_graphs_without_end_come_to_an_end(name: str) -> None:
    info = opened(text("prompt", hostile()[name])).info
    assert info.dialect == "comfyui"
    assert info.prompt is None or len(info.prompt) <= 10**6


def test_a_graph_beyond_all_measure_is_told_of() -> None:
    graph = {str(n): node("SaveImage", images=["0", 0]) for n in range(6000)}
    info = opened(text("prompt", graph)).info
    assert info.dialect == "unknown"
    assert info.notes


def test_subgraphs_of_themselves_come_to_an_end() -> None:
    inner = [{"id": n, "type": "S", "inputs": [], "outputs": []} for n in range(30)]
    workflow = {
        "nodes": inner,
        "links": [],
        "definitions": {"subgraphs": [{"id": "S", "nodes": inner}]},
    }
    assert opened(text("workflow", workflow)).info.dialect == "comfyui"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.text(max_size=4) | st.floats(),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=4), one, max_size=3),
    max_leaves=5,
)
KINDS = st.sampled_from([*sorted(node_table().rows), "Unknown", "S"])
NAMES = st.sampled_from(
    ["model", "positive", "text", "x", "images", "guider", "ckpt_name", "select"]
)
LINKS = st.tuples(st.sampled_from("0123456789"), st.integers(-1, 9)).map(list)


@given(
    graph=st.dictionaries(
        st.sampled_from("0123456789"),
        st.fixed_dictionaries(
            {"class_type": KINDS, "inputs": st.dictionaries(NAMES, LINKS | JUNK)}
        ),
    )
)
def test_any_graph_is_read(graph: dict[str, Any]) -> None:
    found = open_texts([text("prompt", graph)])
    assert found is None or found.texts()[0].text == json.dumps(graph)


@given(
    nodes=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.integers(0, 5),
                "type": KINDS,
                "mode": st.sampled_from([0, 2, 4]) | JUNK,
                "inputs": JUNK
                | st.lists(st.fixed_dictionaries({"name": NAMES, "link": st.integers(0, 5)})),
                "outputs": JUNK,
                "widgets_values": JUNK,
                "properties": JUNK | st.fixed_dictionaries({"proxyWidgets": JUNK}),
            },
        ),
        max_size=6,
    ),
    links=JUNK | st.lists(st.lists(st.integers(-20, 6), min_size=6, max_size=6)),
)
def test_any_drawing_is_read(nodes: list[Any], links: Any) -> None:
    sub = {"id": "S", "nodes": nodes[:2], "links": links, "inputs": nodes[2:3], "outputs": [1]}
    drawn = {"nodes": nodes, "links": links, "definitions": {"subgraphs": [sub]}}
    found = open_texts([text("workflow", drawn)])
    assert found is not None


def test_the_table_speaks_of_roles_and_inputs_that_there_are() -> None:
    table = node_table()
    roles = {row.role for row in table.rows.values()}
    assert roles == {"", "sampler", "detailer", "save", "preview", "stop", "silence"}
    known = set(get_args(Role))
    models = [role for row in table.rows.values() for role in (row.models or {}).values()]
    assert {*models, *(one.role for one in table.inputs)} <= known
    for name, row in table.rows.items():
        if row.widgets is not None:
            assert len(set(row.widgets)) == len(row.widgets), name
            assert not set(row.texts or ()) - set(row.widgets), name
