"""About containers: safetensors, shards, model folders, GGUF."""

from __future__ import annotations

from typing import Final

_DAMAGED: Final = (
    "The file is damaged or was written by a faulty program; download it again or tell its author."
)
_GGUF_DAMAGED: Final = "Download it again; if that does not help, its author has to write it anew."

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "pickle_in_disguise": (
        "{path} is a PyTorch pickle, although its name ends in {suffix}.",
        "Programs that trust the name may run code from it. If you trust the source, rename it to "
        ".ckpt; kanna then reads it without running anything.",
    ),
    "other_name": "The name ends in {suffix}, but the content is {content}; the content was read.",
    "lone_shard": "This is shard {part} of {total}; open the *.index.json beside it for the whole.",
    "duplicate": ("{path} has two entries called {name}.", _DAMAGED),
    "cut_short": (
        "{path} is cut short: the download or copy stopped at {percent} %, {have} of {need} are "
        "there.",
        "Download or copy it again.",
    ),
    "leads_outside": (
        "{path}: {name} leads out of its folder and is not followed.",
        "Put the file itself there, or open it by its own path.",
    ),
    "json_too_long": ("{path} is longer than {limit:,} bytes, too long for its kind.", _DAMAGED),
    "json_crowded": ("{path}: the header holds more values than any model needs.", _DAMAGED),
    "json_nested": ("{path}: the header is nested too deeply.", _DAMAGED),
    "json_invalid": ("{path} has no valid JSON where it should ({reason}).", _DAMAGED),
    "json_no_object": ("{path} is JSON, but no JSON object.", _DAMAGED),
    "st_no_header": (
        "{path} is too short to be a safetensors file.",
        "Download or copy it again.",
    ),
    "st_header_length": (
        "{path} claims a header of {length:,} bytes; 2 to {limit:,} are allowed.",
        "It is damaged or no safetensors file; download it again.",
    ),
    "st_header_cut": (
        "{path} ends inside its header: the header alone takes {header}, the file has {have}.",
        "The download or copy stopped early; do it again.",
    ),
    "st_header_start": ("{path}: the header does not begin with a brace.", _DAMAGED),
    "st_metadata": ("{path}: its __metadata__ is not text to text.", _DAMAGED),
    "st_fields": (
        "{path}: the entry of {tensor} does not hold exactly dtype, shape and data_offsets.",
        _DAMAGED,
    ),
    "st_dtype": (
        "{path}: {tensor} has the dtype {dtype}, which safetensors does not know.",
        _DAMAGED,
    ),
    "st_shape": ("{path}: {tensor} has the impossible shape {shape}.", _DAMAGED),
    "st_offsets": ("{path}: {tensor} has the impossible data_offsets {offsets}.", _DAMAGED),
    "st_size": (
        "{path}: {tensor} needs {need:,.15g} bytes by its dtype and shape, but its data_offsets "
        "span {have:,}.",
        _DAMAGED,
    ),
    "st_gap": (
        "{path}: {tensor} begins at {begin:,}, where {expected:,} is next: tensors overlap or "
        "leave a hole.",
        _DAMAGED,
    ),
    "st_trailing": ("{path} has {extra:,} bytes after its last tensor.", _DAMAGED),
    "index_map": (
        "{path} has no weight_map that gives each tensor a file.",
        "It is no index of shards, or it is damaged; download it again.",
    ),
    "index_missing": (
        "{path} holds shards such as {shard}, but no *.index.json.",
        "Download the index as well.",
    ),
    "too_many_shards": (
        "{path} names {count:,} shards; no model has so many.",
        "Get the index and its shards from their source again.",
    ),
    "pickled_shard": "The shard {name} is a pickle: other programs may run code from it.",
    "shard_missing": (
        "{path}: the shard {shard} is missing ({missing} of {total} are).",
        "Download the missing shards into the same folder.",
    ),
    "shard_lacks": (
        "{path}: {shard} lacks {tensor} ({count} in all), which the index says it holds.",
        "Index and shards are not of one model or version; download both again.",
    ),
    "shard_extra": (
        "{path}: {shard} holds {tensor} ({count} in all), which the index does not name.",
        "Index and shards are not of one model or version; download both again.",
    ),
    "folder_no_weights": (
        "The folder {path} is no complete diffusers model: no weights are in it.",
        "Give a folder with model_index.json and its components, or one model file.",
    ),
    "folder_absent": "model_index.json names the component {component}, which is not there.",
    "folder_choice": "{component}: {taken} was read; not read: {others}.",
    "folder_pickle": (
        "{component}: the weights are in a pickle, {taken}; kanna reads it without running it, "
        "other programs may not."
    ),
    "folder_code": "The folder holds program code ({names}); kanna never runs it.",
    "gguf_version": (
        "{path} is GGUF of version {version}; 2 and 3 in little-endian order can be read.",
        "Convert it with the program that made it.",
    ),
    "gguf_cut": (
        "{path}: the GGUF header wants {need:,} bytes at byte {offset:,}, which are not there.",
        _GGUF_DAMAGED,
    ),
    "gguf_count": ("{path}: the GGUF header announces {count:,} entries.", _GGUF_DAMAGED),
    "gguf_text": ("{path}: a text in the GGUF header is not UTF-8.", _GGUF_DAMAGED),
    "gguf_bool": ("{path}: a truth value in the GGUF header is {value}.", _GGUF_DAMAGED),
    "gguf_value_type": (
        "{path}: a value in the GGUF header has the unknown type {type}.",
        _GGUF_DAMAGED,
    ),
    "gguf_alignment": ("{path}: {value} is no alignment for tensors.", _GGUF_DAMAGED),
    "gguf_rank": (
        "{path}: {tensor} has {rank:,} dimensions; GGUF files have at most 5.",
        _GGUF_DAMAGED,
    ),
    "gguf_type": (
        "{path}: {tensor} has the tensor type {type}, which kanna does not know.",
        "It is damaged, or newer than this version of kanna.",
    ),
    "gguf_shape": ("{path}: {tensor} cannot have the shape {shape}.", _GGUF_DAMAGED),
    "gguf_offset": (
        "{path}: {tensor} begins at {offset:,}, inside another tensor or out of line.",
        _GGUF_DAMAGED,
    ),
    "gguf_extra": (
        "The numbers of this GGUF type can only be read with the gguf package, which is missing.",
        "Run pip install 'kanna[gguf]'.",
    ),
    "gguf_quantised": "stored as {type}, a type of GGUF that nothing decodes",
}
