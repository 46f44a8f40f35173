"""`kanna library export`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "List models for spreadsheets, model pages and other programs.",
    "help": "Make a list of models: csv (for spreadsheets), json (all that the library knows), markdown (a table with hashes for a model page), sha256 (what sha256sum -c reads), comfyui (an extra_model_paths.yaml with the folders of each kind) or invokeai (a models.yaml with the checkpoints). It is printed, or written to a file with -o. WORDS and options choose models as in kanna library find.",
    "examples": "Examples:\n\n  kanna library export --to markdown orangemix\n\n  kanna library export --to csv --kind lora -o loras.csv\n\n  kanna library export --to comfyui -o extra_model_paths.yaml\n\n  kanna library export --to sha256 > models.sha256",
    "option_to": "The form of the list.",
    "option_output": "Write it to this file.",
    "option_force": "Replace the file if it is there.",
    "option_dry_run": "Write nothing; say what would be.",
    "json_where": (
        "--json tells of a file that is written, and none is.",
        "Name one with -o, or use --to json for a list in JSON.",
    ),
    "written": "Written: {path}",
    "would": "Would be written: {path}",
    "column_name": "Name",
    "column_size": "Size",
    "column_sha256": "SHA256",
    "column_autov2": "AutoV2",
    "column_autov3": "AutoV3",
}
