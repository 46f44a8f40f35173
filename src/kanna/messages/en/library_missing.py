"""`kanna library missing`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Find parts that models need and that no folder has.",
    "help": "Find what models need besides and no folder of the library has: the text encoders and the VAE of a diffusion model, and for LoRAs, embeddings and the like any model of their family. For each it is told who needs it, what its file is usually called, where it is published and, where that is known, its SHA-256. A part that is only inside a checkpoint counts as there: kanna split takes it out. Where headers do not tell, as with the VAEs of SD 1 and SDXL, files are told as possible ones. With -v needs that are met are told, too, and by which files. WORDS and options choose models as in kanna library find.\n\nThe exit code is 1 if anything is missing.",
    "examples": "Examples:\n\n  kanna library missing\n\n  kanna library missing --family flux -v\n\n  kanna library missing --json",
    "missing": "missing",
    "there": "there",
    "perhaps": "perhaps there",
    "needed_by": "needed by",
    "served_by": "here",
    "inside": "only inside of (kanna split takes it out)",
    "possible": "perhaps one of these (their headers do not tell)",
    "called": "usually called: {names}",
    "from": "published at: https://huggingface.co/{repository}",
    "published": "{name}: SHA-256 {sha256}",
    "no_model": "No model of the family {family} is in the library",
    "more": "and {count} more",
    "nothing": "Nothing is missing. Parts that are needed besides and are there: {count} (-v lists them).",
}
