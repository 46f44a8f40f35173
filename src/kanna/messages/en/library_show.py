"""`kanna library show`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Show everything that the library knows of a model.",
    "help": "Show what the library knows of each FILE: what it is, its hashes, tags and note, other names of it, what it was made of, and where else the same file, data or part is. FILE is a path, the number of a model (#12), 8 or more digits of a hash, or a name.",
    "examples": "Examples:\n\n  kanna library show anime_v2\n\n  kanna library show '#12' -v\n\n  kanna library show 6ce0161689 --json",
    "gone": "no longer there",
    "unread": "not read",
    "not_hashed": "not computed yet",
    "title": "Title",
    "what": "What",
    "size": "Size",
    "findings": "Findings",
    "sha256": "SHA-256",
    "data_sha256": "Data",
    "autov1": "AutoV1",
    "hashes": "Hashes",
    "tags": "Tags",
    "aliases": "Also called",
    "origin_merged_from": "Merged from",
    "origin_made_from": "Made from",
    "origin_trained_on": "Trained on",
    "origin_vae_of": "VAE of",
    "origin_lora_of": "LoRA in it",
    "same": "The same file: {path}",
    "same_data": "The same tensors: {path}",
    "same_part": "The same part: {path}",
    "more": "… and {count} more",
}
