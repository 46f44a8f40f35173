"""`kanna infotext`: how pictures were made."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Read and change the generation data of pictures.",
    "help": "Read, write, edit and strip the generation data that A1111, Forge, SD.Next, ComfyUI, NovelAI, InvokeAI, Fooocus, SwarmUI, Easy Diffusion and Draw Things put into pictures. Image data are never touched.",
    "examples": "Examples:\n\n  kanna infotext show picture.png\n\n  kanna infotext export outputs/ -o prompts.csv\n\n  kanna infotext strip picture.png -o clean.png",
}
