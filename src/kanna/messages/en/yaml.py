"""`kanna yaml`: the config beside a model."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Write the config that a model needs.",
    "help": "Write the config (.yaml) that A1111 and Forge read beside each FILE, under the same name: "
    "for SD 2, v-prediction, inpainting, depth, unCLIP, the refiner and others.\n\nWhat the model "
    "predicts is taken from its markers, its metadata, its known hash or a few of its numbers, and "
    "kanna says how sure that is. With --marker a copy of the model is made that carries the answer "
    "inside; ComfyUI and Forge read it there.",
    "examples": "Examples:\n\n  kanna yaml model.safetensors\n\n"
    "  kanna yaml model.safetensors --prediction v\n\n"
    "  kanna yaml model.safetensors --prediction v --marker --ztsnr -o model-v.safetensors",
    "option_prediction": "What the model predicts, where you know it better.",
    "option_marker": "Make a copy of the model with the marker v_pred inside instead.",
    "option_ztsnr": "With --marker: the model was trained with zero terminal SNR.",
    "option_output": "With --marker: the output file, or a folder for a suggested name.",
    "option_show": "Print the config and write nothing.",
    "written": "{path} written ({name}).",
    "planned": "Nothing was written: {path} would be ({name}).",
    "there": "{path} is there and says the same ({name}).",
    "known_by": "{certainty}",
    "guessed": "A1111 of today finds this out by itself; older versions and other programs need the file.",
    "why_told": "You said so.",
    "folder": ("{path} is a folder.", "Name the model file itself."),
    "no_config": (
        "{path} is a model for which A1111 and Forge read no config.",
        "Nothing needs to be written; `kanna inspect` says what it is.",
    ),
    "no_prediction": (
        "Nothing in {path} says what it predicts.",
        "Say it with --prediction ({words}).",
    ),
    "no_such_prediction": (
        "There is no config for {path} that predicts {prediction}.",
        "It can be: {words}.",
    ),
    "no_marker": (
        "{path} predicts {prediction}, and there is no marker for such a model.",
        "Without a marker, programs assume what is usual for such a model.",
    ),
    "no_ztsnr": (
        "No program reads a marker of zero terminal SNR in a model such as {path}.",
        "Leave out --ztsnr.",
    ),
    "differs": (
        "{path} is there and says something else than {name} needs ({keys}).",
        "Look at it; --force replaces it.",
    ),
    "only_with_marker": ("-o and --ztsnr are of no use without --marker.", "Add --marker."),
    "one_output": ("One output file cannot take several models.", "Give a folder: -o folder/"),
}
