"""Diffusers folders: what is made, what is missing, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "why_told": "you said so",
    "no_pipeline": (
        "kanna knows no pipeline of diffusers for {path} ({what}).",
        "Split it into parts instead: without --to diffusers.",
    ),
    "already": (
        "{path} is a diffusers folder already.",
        "Join it to one file first (kanna join), and split that.",
    ),
    "no_prediction": (
        "Nothing in {path} says what the model predicts, and its scheduler depends on that.",
        "Say it with --prediction: {words}.",
    ),
    "no_such_prediction": (
        "diffusers has no pipeline for {path} that predicts {prediction}.",
        "Give one of: {words}.",
    ),
    "no_scheduler": (
        "kanna knows no scheduler of {pipeline} for a model that predicts {prediction}.",
        "Say with --prediction what {path} predicts, such as epsilon or v.",
    ),
    "missing": (
        "{path} lacks what these components are made of: {components}.",
        "Join the parts to one file first (kanna join), or make the folder without them "
        "(--allow-missing) and take them from {repository}.",
    ),
    "quantised": (
        "The part {part} is quantised ({scheme}), and diffusers cannot load that from such a folder.",
        "Say what it should become: --dtype bf16 or fp16.",
    ),
    "underivable": (
        "The config of {folder} cannot be made: it follows from {tensor}, which is not there.",
        "The file is incomplete; kanna check lists what is missing.",
    ),
    "shard_size": (
        "{word} is no size of a file.",
        "Give a number with a unit, such as 5GB or 500MB.",
    ),
    "no_tokenizer": (
        "There is no tokenizer for {folders} in {path}.",
        "Give a diffusers folder with these subfolders.",
    ),
    "tokenizer_size": (
        "{path} is far too large for a tokenizer ({size:,} bytes).",
        "Give the folder of a tokenizer as it was published.",
    ),
    "other_weights": (
        "{path} holds weights that this model would not replace, such as {name}.",
        "Give a new folder, or remove that file first.",
    ),
    "others": "The header fits several pipelines: {taken} is made, but it may be {others}. They differ in scheduler or settings.",
    "lacks": "Not in the folder, and needed by from_pretrained: {components} (from {repository}).",
    "referenced": "Not in the folder, and needed by from_pretrained: {components} (from {repository}, or from a folder given with --tokenizers).",
    "identity": "{name} is the identity matrix: the file leaves it out, diffusers asks for it.",
    "left": "Tensors that have no place in diffusers: {count}. They are in {file}, so that nothing is lost.",
}
