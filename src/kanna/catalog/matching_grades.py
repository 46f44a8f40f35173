"""How sure it is that a file is the one that was meant, by what speaks for it.

=================  ========  ========  ==========  =================================================
what speaks        alone     several   and name    why
=================  ========  ========  ==========  =================================================
sha256 (10 - 64)   certain   certain   certain     40 bits and more; files that share it are copies
data_sha256, 10 -  certain   certain   certain     the same weights under another header
blake3             certain   certain   certain     256 bits
sshs_model_hash    likely    possible  certain     what a LoRA says of itself; who edits it keeps it
autov1             likely    possible  certain     64 KiB, which models of one kin have in common
crc32              likely    possible  certain     32 bits
checksum           possible  possible  likely      16 bits of an embedding
vae_hash           likely    possible  certain     A1111 writes that of another VAE at times
name, former …     likely    possible  -           any file can have a name
other_suffix …     possible  possible  -           the same name but for a detail
=================  ========  ========  ==========  =================================================

*Several* are different files for which the same speaks, published ones that are not here included;
*and name* is a digest for which an exact name speaks, too (of several such, it is likely). A name
is possible only if the file's kind is not the one that was meant, or its digest is another one. A
digest that was found in a meaning that the program hardly had counts as if several had it; so does
the hash of a VAE whose name is that of a published file with another digest.
Sources of what digests are worth: A1111 modules/hashes.py, modules/sd_models.py (model_hash),
modules/sd_vae.py (get_loaded_vae_hash: one cache entry, ``vae``, for all VAEs), kohya
library/train_util.py (precalculate_safetensors_hashes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

Certainty: TypeAlias = Literal["certain", "likely", "possible"]
ORDER: Final[tuple[Certainty, ...]] = ("certain", "likely", "possible")


class Grade(NamedTuple):
    """How sure something makes: alone, where several files have it, and where the name agrees."""

    alone: Certainty
    several: Certainty
    named: Certainty


_SURE: Final = Grade("certain", "certain", "certain")
_GOOD: Final = Grade("likely", "possible", "certain")
# By the meanings of `kanna.hashing.resolving.MEANINGS`, best first.
DIGESTS: Final[Mapping[str, Grade]] = {
    "sha256": _SURE,
    "sha256_16": _SURE,
    "sha256_12": _SURE,
    "autov2": _SURE,
    "blake3": _SURE,
    "data_sha256": _SURE,
    "autov3": _SURE,
    "data_sha256_10": _SURE,
    "sshs_model_hash": _GOOD,
    "autov1": _GOOD,
    "crc32": _GOOD,
    "vae_hash": _GOOD,  # not a meaning of its own: autov2 of a VAE, in an infotext
    "embedding_checksum": Grade("possible", "possible", "likely"),
}
_EXACT: Final = Grade("likely", "possible", "likely")
_LOOSE: Final = Grade("possible", "possible", "possible")
# By how a name agrees, best first.
NAMES: Final[Mapping[str, Grade]] = {
    "name": _EXACT,
    "former": _EXACT,  # the file had that name before
    "companion": _EXACT,  # it was published under that name, says a file beside it
    "published_name": _EXACT,  # and so says the table of published models
    "metadata": _EXACT,
    "prompt_word": _EXACT,  # an embedding whose name is a word of the prompt
    "name_hash": _EXACT,  # the digest is that of the name: early Forge
    "other_suffix": _LOOSE,  # model.ckpt and model.safetensors
    "other_spelling": _LOOSE,  # capitals aside: spaces, hyphens and underscores
    "other_folder": _LOOSE,  # another one of the name lies where the reference says
    "name_end": _LOOSE,  # what comes before may be folders, joined as A1111 does
    "published_title": _LOOSE,
    "made_from": _LOOSE,  # kanna made the file of one of that name or digest
    "common_word": _LOOSE,  # an embedding whose name may be no name here
}
AGREEING: Final = frozenset(word for word, grade in NAMES.items() if grade is _EXACT)
MEANING_ORDER: Final = {word: rank for rank, word in enumerate([*DIGESTS, *NAMES])}
# The kinds of files that can be what a picture calls so; others speak against it.
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "checkpoint": frozenset({"checkpoint", "diffusion_model"}),
    "diffusion_model": frozenset({"diffusion_model", "checkpoint"}),
    "vae": frozenset({"vae"}),
    "text_encoder": frozenset({"text_encoder"}),
    "lora": frozenset({"lora"}),
    "embedding": frozenset({"embedding"}),
    "hypernetwork": frozenset({"hypernetwork"}),
    "controlnet": frozenset({"controlnet", "t2i_adapter", "ip_adapter", "lora"}),
    "ip_adapter": frozenset({"ip_adapter", "lora"}),
    "clip_vision": frozenset({"clip_vision"}),
    "upscaler": frozenset({"upscaler"}),
}


def kind_agrees(role: str, kind: str | None) -> bool | None:
    """Whether a file of this kind can be what the role says; None where either says nothing."""
    fitting = KINDS.get(role)
    if fitting is None or kind is None or kind == "unknown":
        return None
    return kind in fitting


def doubted(certainty: Certainty) -> Certainty:
    """Return what is left of a certainty for which one more thing does not speak."""
    return "possible" if certainty == "possible" else "likely"
