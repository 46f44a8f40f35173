"""`kanna demo`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Show the main job on a made-up checkpoint.",
    "help": "Make a checkpoint as people have it from 2022 (Stable Diffusion 1.5 in fp32 with EMA, "
    "Lightning wrapper and damaged position ids; real names and shapes, made-up numbers) and a VAE, "
    "and take them through inspect, convert, inspect.\n\nNeeds 2.5 GB of free space for a moment.",
    "examples": "Examples:\n\n  kanna demo\n\n  kanna demo --full --folder somewhere",
    "option_full": "Fill all 7.7 GB with numbers; otherwise large tensors are holes in the file.",
    "option_folder": "Work in this folder and keep the files.",
    "making": "Making a damaged checkpoint and a VAE in {folder}",
    "step": "$ {command}",
    "compare": "Before and after",
    "yes": "yes",
    "no": "no",
    "row_file": "file",
    "row_size": "size",
    "row_runs_code": "may run code in other programs",
    "row_dtype": "precision",
    "row_tensors": "tensors",
    "row_junk": "junk tensors",
    "row_time": "time",
    "row_memory": "peak memory",
    "ids_ok": "in order",
    "ids_damaged": "damaged",
    "ids_float": "floats",
    "ids_absent": "absent",
    "ids_unread": "not read",
}
