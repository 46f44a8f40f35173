"""`kanna library add`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Take folders into the library.",
    "help": "Take folders into the library, and remember them; `kanna library scan` reads what is in them. The folder of A1111, Forge, ComfyUI or InvokeAI stands for those that the program keeps models and pictures in, and for those that its own settings name: options in webui-user, config.json, extra_model_paths.yaml, invokeai.yaml. These are read as text, and again at every scan. Any other folder is looked through with all below it.",
    "examples": "Examples:\n\n  kanna library add ~/stable-diffusion-webui ~/ComfyUI\n\n  kanna library add /mnt/backup --role backup --models\n\n  kanna library add extra_model_paths.yaml --dry-run",
    "option_role": "What the folders are for: models in use, or those that are kept aside.",
    "option_images": "Look for pictures only.",
    "option_models": "Look for models only.",
    "option_dry_run": "Show what would be added.",
    "one_of_both": (
        "--images and --models exclude each other.",
        "Leave both out to look for both.",
    ),
    "next": "New folders: {count}. Read what is in them with kanna library scan.",
    "would": "Folders that would be added: {count}. Nothing was changed.",
    "new": "new folders: {count}",
    "known": "nothing new",
}
