"""`kanna check`: help, and what stands around the findings."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Say what is wrong with a file, and what mends it.",
    "help": "Say what is wrong with each FILE, why it matters, and which command mends it.\n\n"
    "The exit code is 1 where there is an error or a warning, and 0 where there is nothing or only "
    "notes. Defaults may stand in kanna.toml, in the working folder or in your configuration folder, "
    "under [check]: for, select, ignore.",
    "examples": "Examples:\n\n"
    "  kanna check model.ckpt --for generation\n\n"
    "  kanna check *.safetensors --deep --ignore KN8\n\n"
    "  kanna check model.safetensors --for distribution --json\n\n"
    "  kanna check models/*.ckpt --select KN1,KN203 --sarif > check.sarif",
    "option_for": "What the file is for: rules of that purpose count in full. Without it those of "
    "generation stand among the notes.",
    "option_deep": "Read every weight too: NaN, overflow, zeros, false hashes, the VAE's number.",
    "option_select": "Only these rules: codes or their beginnings, such as KN2,KN301.",
    "option_ignore": "All rules but these.",
    "option_sarif": "Print one SARIF 2.1.0 document, for code scanning.",
    "two_documents": (
        "--json and --sarif are two documents.",
        "Ask for one of them.",
    ),
    "settings_unreadable": (
        "The settings {path} cannot be read: {reason}.",
        "Correct the file; it is TOML in UTF-8.",
    ),
    "settings_key": (
        "The settings {path} have “{key}” under [check], which is no setting.",
        "There are: {keys}.",
    ),
    "settings_value": (
        "In the settings {path}, “{key}” is {value}.",
        "It has to be: {wanted}.",
    ),
    "for_generation": "for generation",
    "for_training": "for training",
    "for_distribution": "for distribution",
    "for_nothing": "for any purpose",
    "severity_error": "errors",
    "severity_warning": "warnings",
    "severity_note": "notes",
    "nothing": "nothing to complain about",
    "summary": "Findings: {count}.",
    "summary_mendable": " Mended by the command below: {count}.",
    "summary_left": " Left to you: {count}.",
    "others": "--for generation mends {count} more.",
    "more_names": " … and {count} more",
    "saving": "That saves {size}.",
    "no_purpose": "Say what the file is for (--for generation, training or distribution), and the rules of that purpose count in full.",
}
