"""About what a file is, and how that is known."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "bad_table": (
        "The model table {path} cannot be used: {reason}.",
        "Correct the table, or move it out of the folder.",
    ),
    "table_lacks": (
        "The model table {path} cannot be used: “{field}” is not there.",
        "Correct the table, or move it out of the folder.",
    ),
    "called": "{name} {role}",
    "prefix": "prefix “{prefix}”",
    "no_prefix": "no prefix",
    "complete": "{what}: all {count} known tensors are there ({where}).",
    "signature": "{what}: recognised by {count} telling tensors ({where}).",
    "partial": (
        "{what}: {count} of its tensors are there, {missing} are missing and {wrong} have another "
        "shape ({where})."
    ),
    "shard": "This is file {number} of {count} of a model: the rest is elsewhere.",
    "built_upon": "{count} more tensors stand under its prefix: something may have been built upon it.",
    "much_unknown": "{count} tensors outside of it belong to nothing that is known here.",
    "other_widths": "Its widths are those of no known variant: it may be another model that is built alike.",
    "by_width": "Only their width says that the tensors are such vectors.",
    "gaps": "{count} tensors seem to be missing: the other blocks have them.",
    "nearest": "Nearest to {what}: {count} tensors fit, {missing} are missing, {wrong} do not fit.",
    "alike": "Looks most like {what}: {count} tensors have the same names, {wrong} of them another shape.",
    "several": "Several models of the same rank are in the file: {what}.",
    "mixture": "Tensors of several models are mixed: {what}.",
    "shared_header": "The header cannot tell these apart: {what}.",
    "same_header": "The same header is also that of {what}.",
    "context": "The VAE is taken for that of {what}, like the diffusion model beside it.",
    "published": "The file has the hash of “{name}”, a published file.",
    "published_differs": "The file has the hash of “{name}”, which is listed as {value}, but the tensors say {what}: the tensors count.",
    "metadata_settles": "The metadata field {key} says “{value}”, and the tensors allow it.",
    "metadata_differs": (
        "The metadata field {key} says “{value}”, but the tensors say {what}: the tensors count."
    ),
    "peek_deviation": (
        "The values of {name} have a standard deviation of {value:.3f} (limit {limit}), as those of "
        "{what} have."
    ),
    "ema_only": "The file has only the averaged copy (EMA) of {what}; the model itself is not in it.",
    "name_hint": "The file is called “{name}”, which hints at {what}; a name proves nothing.",
    "quantized": "The weights are quantised ({scheme}).",
    "types": "Its numbers are stored as {what}.",
    "unmarked_scales": (
        "{count} weights have scales that no marker and no metadata tells of: ComfyUI ignores them."
    ),
    "adapter_mixed": "No one model has all the layers that the adapter changes; some are those of {what}.",
    "adapter_no_base": "The tables know no model that has the layers which the adapter changes.",
    "adapter_fits": "{count} of its modules are layers of {what}.",
    "adapter_distilled": (
        "The metadata field {key} says “{value}”, which hints at a LoRA for few steps; the tensors cannot tell."
    ),
    "adapter_rank": "rank {values}",
    "adapter_alpha": "alpha {values}",
    "prediction_marker": "A marker tensor in the file says so.",
    "prediction_architecture": "Every model of this architecture does.",
    "prediction_usual": "Most models of this architecture do, and nothing in the file says otherwise.",
    "prediction_variant": "Models of this variant were trained so.",
    "prediction_metadata": "The metadata field {key} says “{value}”.",
    "prediction_peek": "The values of {name} spread as in such models.",
}
