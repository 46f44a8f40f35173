"""The command line itself: help, options, usage errors."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "help": "kanna knows, repairs, merges and makes the model files of image generation: Stable Diffusion, "
    "FLUX, AuraFlow, Sana and what surrounds them.\n\nIt never runs anything from a file and never "
    "changes an input, unless it is told to: `kanna meta` edits a model's metadata, never its weights, "
    "and `kanna infotext … --in-place` the texts of a picture, never its image.",
    "epilog": "kanna VERB --help explains a verb, with examples.",
    "usage_prefix": "Usage: ",
    "options": "Options",
    "verbs": "Verbs",
    "error": "error:",
    "option_help": "Show this text.",
    "option_version": "Show the version.",
    "option_lang": "Language of everything that is printed.",
    "option_json": "Print one JSON document instead of a report.",
    "option_quiet": "Print errors only.",
    "option_verbose": "Print more: every name, every piece of evidence.",
    "unknown_verb": ("There is no verb '{verb}'.", "kanna --help lists the verbs."),
    "unknown_verb_near": ("There is no verb '{verb}'.", "Did you mean '{near}'?"),
    "no_such_option": (
        "There is no option {option} here.",
        "Add --help to see the options. Of a file whose name begins with - write ./ in front.",
    ),
    "no_such_scheme": (
        "{url}: kanna reads no {scheme} addresses.",
        "Give a path on this machine, or a URL that begins with https://, hf:// or s3://.",
    ),
    "missing_parameter": ("{name} is missing.", "Add --help to see how the verb is used."),
    "no_such_word": ("{name} takes one of {words}.", "Add --help to see what they mean."),
    "no_number": ("{name} takes a number.", "Write it with a point, such as 0.5."),
    "no_whole_number": ("{name} takes a whole number.", "Add --help to see what it means."),
    "not_in_range": (
        "{name} takes a number from {least} to {most}.",
        "Add --help to see what it means.",
    ),
    "too_small": ("{name} takes a number, {least} or more.", "Add --help to see what it means."),
    "bad_parameter": ("{name} does not fit: {reason}", "Add --help to see what it takes."),
    "usage": ("The command line does not fit: {reason}", "Add --help to see how it is used."),
    "no_output": ("The output cannot be printed: {reason}.", "Check where stdout leads."),
    "bracketed": "{text} ({more})",
    "counted": "{done:,} of {total:,} files",
    "interrupted": ("Stopped.", "No half-made file was left; every input is as it was."),
}
