"""`kanna lora`: LoRAs and their kin."""

from __future__ import annotations

from kanna.cli.groups import verb_group

lora = verb_group(
    "lora",
    {
        "bake": "kanna.cli.lora_bake:bake",
        "convert": "kanna.cli.lora_convert:convert",
        "extract": "kanna.cli.lora_extract:extract",
        "merge": "kanna.cli.lora_merge:merge",
        "resize": "kanna.cli.lora_resize:resize",
    },
)
