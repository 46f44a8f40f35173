"""`kanna lora`: LoRAs and their kin, read, baked and spelled anew."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Bake, extract, merge, resize and convert LoRAs.",
    "help": "Work on LoRAs and their kin: LoHa, LoKr, DoRA, IA3, OFT, full differences.",
    "examples": "Examples:\n\n  kanna lora bake model.safetensors style.safetensors -o baked.safetensors\n\n  kanna lora extract tuned.safetensors base.safetensors -o style.safetensors",
    "no_lora": (
        "{path} is no LoRA: it is a {kind}.",
        "Give a LoRA; kanna inspect says what a file is.",
    ),
    "no_modules": (
        "{path} holds nothing that a LoRA consists of.",
        "Give a LoRA; kanna inspect says what a file is.",
    ),
    "unknown_tensors": (
        "{path} has {count} tensors that kanna cannot make sense of, such as {name}.",
        "With --skip-unknown they are left out.",
    ),
    "several_adapters": (
        "{path} holds several adapters: {names}.",
        "Save each of them to a file of its own with the program that made them.",
    ),
    "pieces_unfit": (
        "The factors of {name} do not fit together.",
        "The file is broken; get it anew.",
    ),
    "empty": (
        "{name} has no numbers in it.",
        "The file is broken; get it anew.",
    ),
    "no_numbers": (
        "{name} is {dtype}, which is nothing that LoRAs are computed with.",
        "Get the LoRA in fp16, bf16 or fp32.",
    ),
    "alpha_unclear": (
        "{name} is no number that a LoRA could be scaled with.",
        "The file is broken; get it anew.",
    ),
    "pattern_unclear": (
        "PEFT's settings of this LoRA name layers by a pattern that kanna does not read: {pattern}.",
        "Load it with PEFT, and save it with diffusers.",
    ),
    "alpha_assumed": "{path}: nothing says how strong {count:,} modules are (alpha); alpha is taken to be their rank.",
    "alpha_beside": "{path}: how strong its modules are (alpha) is taken from adapter_config.json beside it.",
    "config_of_another": "{path}: adapter_config.json beside it speaks of other ranks, and is left aside.",
    "no_such_dialect": (
        "There is no LoRA dialect {name}.",
        "Take one of: {known}.",
    ),
    "base_unknown": (
        "kanna cannot tell which model this LoRA was made for, so it does not know what its layers are called.",
        "Say it with --architecture; kanna inspect names the candidates.",
    ),
    "one_part": (
        "{dialect} keeps each part of a model in a file of its own, and this LoRA changes {count}.",
        "Take another dialect, such as --to diffusers.",
    ),
    "twice": (
        "Two modules would both be called {name}.",
        "The file names a layer twice; kanna lora merge, given this one file, makes one module of both.",
    ),
    "no_such_layer": (
        "No model of this architecture that kanna knows has the layer of {name}.",
        "Check with kanna inspect which model the LoRA is for.",
    ),
    "no_such_part": (
        "{dialect} has no name for LoRAs of the part {part}.",
        "Take another dialect with --to.",
    ),
    "no_form": (
        "{dialect} has no form for {name}, which is a {kind}.",
        "Take another dialect, such as --to kohya, or make a plain LoRA of it first: kanna lora resize.",
    ),
    "cannot_regroup": (
        "{name} ({kind}) cannot be spelled so without changing its numbers: what is one layer there is several layers here, or the other way round.",
        "Take another dialect with --to, or make a plain LoRA of it first: kanna lora resize.",
    ),
    "other_architecture": (
        "{path} was made for {made_for}, and {model} is {architecture}.",
        "Take a LoRA for {architecture}.",
    ),
    "some_lost": (
        "{count} of the {total} layers that {path} changes are none of {model}, such as {name}.",
        "With --skip-unknown they are left out.",
    ),
    "all_lost": (
        "None of the {total} layers that {path} changes is one of {model}, such as {name}.",
        "Take a LoRA that was made for this model; kanna inspect says for which one it was.",
    ),
    "no_formula": (
        "{name} is of a kind ({kind}) that kanna cannot compute.",
        "Let the program that made it bake it, or leave such modules out of the file.",
    ),
    "unfit": (
        "{name} does not fit {weight}, which is {shape}.",
        "Take a LoRA that was made for this model.",
    ),
    "no_bias": (
        "{name} changes a bias that the model does not have.",
        "Take a LoRA that was made for this model.",
    ),
    "no_rows": (
        "{name} cannot be cut into the rows that the LoRA speaks of.",
        "Check the model with kanna check.",
    ),
    "needs_all_rows": (
        "{name} ({kind}) changes several tensors of this model at once, and each can only be made with all of them.",
        "Bake it into a model in the layout that it was trained on: kanna split and kanna join change that.",
    ),
    "part_absent": "{path}: {count} layers of a text encoder left out (such as {name}): the model has none.",
    "layers_skipped": "{path}: {count} layers left out that the model does not have (such as {name}).",
    "tensors_skipped": "{path}: {count} tensors left out that kanna cannot make sense of (such as {name}).",
}
