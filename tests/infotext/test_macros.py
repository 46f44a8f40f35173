from __future__ import annotations

import pytest

from kanna.errors import UsageError
from kanna.infotext import open_text
from kanna.infotext.a1111 import open_a1111_text
from kanna.infotext.macros import Change, apply, read_macros
from kanna.messages import LANGUAGES, set_language

TEXT = (
    "1girl, cat, <lora:foo:0.8>\nNegative prompt: EasyNegative, bad\n"
    "Steps: 20, Sampler: Euler a, Seed: 1, Model: v1-5, Version: v1.9.4"
)


def edited(*lines: str, text: str = TEXT) -> str:
    return apply(read_macros("\n".join(lines)), open_a1111_text(text)).text


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [
        ("Prompt\tAdd First\t\tmasterpiece, ", "1girl", "masterpiece, 1girl"),
        ("Prompt\tAdd First\tmasterpiece, ", "1girl", "masterpiece, 1girl"),
        ("Prompt\tAdd Last\t\t, solo", "0.8>", "0.8>, solo"),
        ("prompt\treplace\tcat\tdog", "cat", "dog"),
        ("Prompt\tReplace\tcat, ", "cat, ", ""),
        ("Prompt\tre.sub\t<lora:(\\w+):[^>]+>\t<lora:\\1:1>", "0.8", "1"),
        ("Prompt\tOverwrite\t\ta dog", "1girl, cat, <lora:foo:0.8>", "a dog"),
        ("Prompt\tDelete\tcat", "cat, ", ""),
        ("Prompt\tDelete\t\tcat", "cat, ", ""),
        ("Prompt\tDelete\t<lora:foo:0.8>", ", <lora:foo:0.8>", ""),
        ("Negative Prompt\tDelete\tEasyNegative", "EasyNegative, ", ""),
        ("Negative Prompt\tDelete", "Negative prompt: EasyNegative, bad\n", ""),
        ("negative_prompt\tAdd First\t\tugly, ", "EasyN", "ugly, EasyN"),
        ("Params\tOverwrite\tSampler\tDDIM", "Euler a", "DDIM"),
        ("Key\tOverwrite\tsampler\tDDIM", "Euler a", "DDIM"),
        ("Params\tSet\tSampler\tDDIM", "Euler a", "DDIM"),
        ("Params\tSet\tClip skip\t2", "v1.9.4", "v1.9.4, Clip skip: 2"),
        ("Params\tReplace\tModel\t1-5\t2-1", "v1-5", "v2-1"),
        ("Params\tre.sub\tSeed\t\\d+\t42", "Seed: 1", "Seed: 42"),
        ("Params\tAdd Last\tModel\t-pruned", "v1-5", "v1-5-pruned"),
        ("Parameter\tRemove\tVersion", ", Version: v1.9.4", ""),
        ("Params\tOverwrite\tVAE\tnew.pt", "", ""),  # only Set adds one
        ("Params\tDelete\tVAE", "", ""),
        ("Params\tOverwrite\tScheduler\tKarras", "", ""),  # another program's key
        ("# Prompt\tOverwrite\t\tx", "", ""),
    ],
)  # fmt: skip
def test_each_action_changes_just_what_it_names(line: str, old: str, new: str) -> None:
    assert edited(line) == TEXT.replace(old, new, 1)


def test_changes_are_made_from_top_to_bottom() -> None:
    macros = "\ufeff# my macros\r\n\r\nPrompt\tReplace\tcat\tdog\r\nPrompt\tReplace\tdog\tfox\r\n"
    assert "fox" in edited(macros)


def test_what_stands_inside_of_other_words_leaves_their_commas() -> None:
    text = "scatter, a cat fox, cat\nb, cat, c"
    assert edited("Prompt\tDelete\tcat", text=text) == "ster, a  fox\nb, c"


def test_other_programs_texts_are_changed_by_the_words_that_people_use() -> None:
    text = '{"3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "karras", "denoise": 1, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}}, "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}}, "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}}, "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}}, "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}}}'
    opened = open_text(text)
    assert opened is not None
    lines = ("Params\tOverwrite\tSteps\t30", "Params\tReplace\tSize\t512x\t640x",
             "Params\tre.sub\tguidance_scale\t7\t6", "Prompt\tReplace\tcat\t犬")  # fmt: skip
    after = apply(read_macros("\n".join(lines)), opened).info
    assert (after.steps, after.prompt, after.seed) == (30, "a 犬", 5)
    assert (after.width, after.height, after.cfg_scale) == (640, 512, 6.0)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("Model\tOverwrite\t\tx", "infotext_text.no_target"),
        ("Prompt", "infotext_text.no_action"),
        ("Prompt\tAppend\t\tx", "infotext_text.no_action"),
        ("Prompt\tReplace\ta\tb\tc", "infotext_text.not_four"),
        ("Params\tReplace\tSampler\tDDIM", "infotext_text.not_four"),
        ("Params\tOverwrite\t\tDDIM", "infotext_text.no_key"),
        ("Prompt\tReplace\t\tb", "infotext_text.no_search"),
        ("Prompt\tre.sub\t(\tb", "infotext_text.bad_pattern_there"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_wrong_is_told_with_its_line(line: str, key: str, language: str) -> None:
    set_language(language)
    with pytest.raises(UsageError) as caught:
        read_macros(f"# macros\n\n{line}")
    assert caught.value.key == key
    assert "3" in caught.value.message
    assert caught.value.hint


def test_a_replacement_that_does_not_fit_is_told() -> None:
    change = Change(target="prompt", action="regex", search="cat", value="\\2")
    with pytest.raises(UsageError) as caught:
        apply([change], open_a1111_text(TEXT))
    assert caught.value.key == "infotext_text.bad_replacement"


def test_what_does_not_change_anything_leaves_every_byte() -> None:
    text = "  a ,\r\nSteps: 20,  Seed: 1, Size: 1x1,\n"
    assert edited("Prompt\tReplace\tzzz\ty", "Params\tSet\tSeed\t1", text=text) == text
