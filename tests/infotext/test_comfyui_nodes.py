"""ComfyUI: what nodes of many packs mean, in graphs as people have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infotext_corpus import cases
from kanna.errors import Incompatible
from kanna.infotext import open_texts
from kanna.infotext.editable import Editable
from kanna.pictures.picture import PictureText

SAMPLER = {"seed": 1, "steps": 2, "cfg": 3, "sampler_name": "x", "scheduler": "y", "denoise": 1}


def opened(document: object, keyword: str = "prompt") -> Editable:
    said = PictureText(place="tEXt", keyword=keyword, text=json.dumps(document))
    found = open_texts([said])
    assert found is not None
    return found


def wheres(editable: Editable) -> list[str]:
    return [one.where for one in editable.info.models]


def node(kind: str, **inputs: object) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def wired(**others: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The usual graph, with other nodes beside or in the place of its own."""
    return {
        "model": node("CheckpointLoaderSimple", ckpt_name="base.safetensors"),
        "text": node("CLIPTextEncode", text="a cat", clip=["model", 1]),
        "empty": node("EmptyLatentImage", width=512, height=768),
        "sampler": sampler(),
        "save": node("SaveImage", images=["sampler", 0], filename_prefix=""),
        **others,
    }


def sampler(**inputs: object) -> dict[str, Any]:
    links = {"model": ["model", 0], "positive": ["text", 0], "latent_image": ["empty", 0]}
    return node("KSampler", **{**SAMPLER, **links, **inputs})


def advanced(noise: str, **inputs: object) -> dict[str, Any]:
    return {**sampler(add_noise=noise, **inputs), "class_type": "KSamplerAdvanced"}


def test_a_refiner_that_adds_no_noise_goes_on_with_the_seed_of_the_base() -> None:
    graph = wired(
        base=advanced("enable", seed=77),
        refiner=node("CheckpointLoaderSimple", ckpt_name="refiner.safetensors"),
        sampler=advanced("disable", seed=0, model=["refiner", 0], latent_image=["base", 0]),
    )
    info = opened(graph).info
    assert info.seed == 77
    assert [one.name for one in info.models] == ["base.safetensors", "refiner.safetensors"]


def test_of_two_samplers_that_both_add_noise_the_last_one_is_told() -> None:
    graph = wired(base=sampler(seed=77), sampler=sampler(seed=5, latent_image=["base", 0]))
    assert opened(graph).info.seed == 5


def test_noise_that_is_switched_off_by_a_node_is_none() -> None:
    first = node("SamplerCustomAdvanced", noise=["n", 0], latent_image=["empty", 0])
    graph = wired(
        n=node("RandomNoise", noise_seed=9),
        off=node("DisableNoise"),
        base=first,
        sampler=node("SamplerCustomAdvanced", noise=["off", 0], latent_image=["base", 0]),
    )
    assert opened(graph).info.seed == 9


def test_of_a_node_with_many_values_each_input_gets_its_own() -> None:
    many = {"seed": 445941582371850, "steps": 27, "cfg": 4.5, "sampler": "dpm", "denoise": 0.9}
    names = ("seed", "steps", "cfg", "sampler_name", "denoise")
    for kind in ("Input Parameters (Image Saver)", "Nobody knows this"):
        linked = sampler(**{name: ["many", 9] for name in names})
        info = opened(wired(many=node(kind, **many), sampler=linked)).info
        assert (info.seed, info.steps, info.cfg_scale) == (445941582371850, 27, 4.5), kind
        assert (info.sampler, info.denoising_strength) == ("dpm", 0.9), kind


@pytest.mark.parametrize(
    ("empty", "size"),
    [
        (node("SDXLEmptyLatentSizePicker+", resolution="704x1408 (0.5)"), (704, 1408)),
        (node("X", dimensions="1216 x 832  (landscape)"), (1216, 832)),
        (node("X", resolution="832 x 1216", width=512, height=512), (832, 1216)),
        (node("X", resolution="custom", width=512, height=640), (512, 640)),
        (node("X", aspect_ratio="16x9", width=512, height=640), (512, 640)),
        (node("EmptyLatentImage", width=["ratio", 0], height=["ratio", 1]), (1152, 896)),
    ],
)
def test_a_size_may_be_one_text(empty: dict[str, Any], size: tuple[int, int]) -> None:
    ratio = node(
        "CR SDXL Aspect Ratio", width=1024, aspect_ratio="3:4 portrait 896x1152",
        swap_dimensions="On",
    )  # fmt: skip
    info = opened(wired(empty=empty, ratio=ratio)).info
    assert (info.width, info.height) == size


def test_a_number_in_a_text_of_two_has_no_place_of_its_own() -> None:
    editable = opened(wired(empty=node("X", resolution="832 x 1216", width=512, height=512)))
    with pytest.raises(Incompatible):
        editable.with_parameter("width", "64")


def test_stacks_of_loras_count_as_far_as_they_say_with_the_weights_of_their_mode() -> None:
    first = {"lora_name_1": "a", "lora_wt_1": 0.7, "model_str_1": 1.0}
    stack = {"lora_count": 1, **first, "lora_name_2": "b"}
    for mode, weight in (("simple", 0.7), ("advanced", 1.0)):
        loaded = node("Stacked", model=["model", 0], lora_stack=["stack", 0])
        graph = wired(
            stack=node("LoRA Stacker", input_mode=mode, **stack),
            loaded=loaded, sampler=sampler(model=["loaded", 0]),
        )  # fmt: skip
        found = [one for one in opened(graph).info.models if one.role == "lora"]
        assert [(one.name, one.weight) for one in found] == [("a", weight)]


def test_names_that_are_wrapped_with_their_pictures_are_names() -> None:
    wrapped = node("CheckpointLoader|pysssss", ckpt_name={"content": "py.ckpt", "image": None})
    editable = opened(wired(model=wrapped))
    assert editable.info.models[0].name == "py.ckpt"
    changed = editable.with_parameter("CheckpointLoader|pysssss#model.ckpt_name", "b.ckpt")
    found = json.loads(changed.texts()[0].text)["model"]["inputs"]["ckpt_name"]
    assert found == {"content": "b.ckpt", "image": None}


def test_words_that_are_switched_off_are_no_part_of_the_prompt() -> None:
    words = [{"text": "sign", "active": True}, {"text": "off", "active": False}]
    graph = wired(
        words=node("TriggerWord Toggle (LoraManager)", toggle_trigger_words={"__value__": words}),
        joined=node("JoinStrings", string1=["words", 0], string2="a cat", delimiter=", "),
        text=node("CLIPTextEncode", text=["joined", 0], clip=["model", 1]),
    )
    editable = opened(graph)
    assert editable.info.prompt == "sign, a cat"
    with pytest.raises(Incompatible):
        editable.with_prompt("x")


def test_inputs_that_are_given_without_a_link_are_told_beside_the_graph() -> None:
    case = next(one for one in cases("comfyui") if one.name == "comfyui: the default graph")
    workflow = json.loads(case.text("workflow"))
    workflow["links"] = [link for link in workflow["links"] if link[1] != 4]  # the loader's
    assert "CheckpointLoaderSimple#4" not in wheres(opened(workflow, "workflow"))
    workflow["extra"] = {"ue_links": [
        {"downstream": 3, "downstream_slot": 0, "upstream": "4", "upstream_slot": 0},
        {"downstream": 3, "downstream_slot": None, "upstream": [], "upstream_slot": "x"}, 5,
    ]}  # fmt: skip
    assert "CheckpointLoaderSimple#4" in wheres(opened(workflow, "workflow"))


def test_a_button_behind_a_seed_is_no_value() -> None:
    values = [-1, None, 20, 7.5, "euler", "karras", 1, "auto", "true"]
    inputs = [{"name": "model", "type": "MODEL", "link": None}]
    drawn = {"id": 1, "type": "KSampler (Efficient)", "inputs": inputs, "widgets_values": values}
    info = opened({"nodes": [drawn], "links": []}, "workflow").info
    assert (info.steps, info.cfg_scale, info.scheduler) == (20, 7.5, "karras")
