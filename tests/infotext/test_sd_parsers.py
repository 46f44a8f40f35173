"""sd-parsers over the same pictures: it agrees where it is right, and where it is wrong it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sd_parsers.data import PromptInfo
from sd_parsers.exceptions import ParserError
from sd_parsers.parsers import (
    ComfyUIParser,
    FooocusParser,
    InvokeAIParser,
    NovelAIParser,
)

from infotext_corpus import Case, cases
from kanna.infotext import open_texts
from kanna.infotext.info import GenerationInfo

PARSERS: dict[str, type[Any]] = {
    "novelai": NovelAIParser,
    "invokeai": InvokeAIParser,
    "fooocus": FooocusParser,
    "comfyui": ComfyUIParser,
}
# By dialect, the numbers of the cases that it reads at all.
READ = {"novelai": (0, 1, 2), "invokeai": (0, 1, 3), "fooocus": (0,), "comfyui": (0,)}
EVERY = [(dialect, number) for dialect, numbers in READ.items() for number in numbers]


def case_of(dialect: str, number: int) -> Case:
    return cases(dialect)[number]


def theirs(dialect: str, case: Case) -> PromptInfo:
    found = PARSERS[dialect]().parse({one.keyword: one.text for one in case.texts})
    assert isinstance(found, PromptInfo)
    return found


def ours(case: Case) -> GenerationInfo:
    found = open_texts(case.texts)
    assert found is not None
    return found.info


@pytest.mark.parametrize(("dialect", "number"), EVERY)
def test_prompts_and_samplers_are_the_same(dialect: str, number: int) -> None:
    case = case_of(dialect, number)
    (sampler,) = theirs(dialect, case).samplers
    info = ours(case)
    assert sampler.name in {info.sampler, info.scheduler}
    assert [one.value for one in sampler.prompts] == [(info.prompt or "").strip()]
    negatives = [one.value for one in sampler.negative_prompts if one.value]
    assert negatives == [info.negative for _ in range(1) if info.negative]


@pytest.mark.parametrize(("dialect", "number"), EVERY)
def test_settings_are_the_same(dialect: str, number: int) -> None:
    case = case_of(dialect, number)
    (sampler,) = theirs(dialect, case).samplers
    info = ours(case)
    said = sampler.parameters
    assert int(said["seed"]) == info.seed
    assert float(said["cfg_scale"]) == info.cfg_scale
    if "steps" in said:
        assert int(said["steps"]) == info.steps


@pytest.mark.parametrize(
    ("dialect", "number"), [("novelai", 2), ("invokeai", 3), ("fooocus", 0), ("comfyui", 0)]
)
def test_the_checkpoint_is_the_same(dialect: str, number: int) -> None:
    case = case_of(dialect, number)
    (sampler,) = theirs(dialect, case).samplers
    assert sampler.model is not None
    model = ours(case).models[0]
    assert (sampler.model.name, (sampler.model.hash or "").lower()) == (
        model.name, model.digest or "",
    )  # fmt: skip


def test_it_loses_the_name_of_invokeais_models_since_version_4() -> None:
    case = case_of("invokeai", 0)
    assert theirs("invokeai", case).samplers[0].model is None
    assert ours(case).models[0].name == "Juggernaut XL v9"


def test_it_reads_no_options_that_stick_to_their_values() -> None:
    case = case_of("invokeai", 4)
    with pytest.raises(ParserError):
        theirs("invokeai", case)
    assert ours(case).steps == 50


def test_it_takes_no_workflow_for_a_picture_without_the_graph_that_ran() -> None:
    case = case_of("comfyui", 2)
    with pytest.raises(ParserError):
        theirs("comfyui", case)
    assert ours(case).seed == 156680208700286


def test_it_takes_every_sampler_for_the_pictures_own_and_none_of_flux() -> None:
    workflow: dict[str, list[Any]] = {"links": []}
    several = json.loads(case_of("comfyui", 4).texts[0].text)
    found = ComfyUIParser().parse({"prompt": several, "workflow": workflow})
    assert len(found.samplers) == 3
    assert ours(case_of("comfyui", 4)).seed == 5
    flux = json.loads(case_of("comfyui", 5).texts[0].text)
    assert ComfyUIParser().parse({"prompt": flux, "workflow": workflow}).samplers == []
    assert ours(case_of("comfyui", 5)).seed == 42


def test_it_does_not_know_novelais_characters() -> None:
    case = case_of("novelai", 2)
    (sampler,) = theirs("novelai", case).samplers
    assert len(sampler.prompts) == 1
    assert len(ours(case).prompts) == 3
