"""Generation data in A1111's grammar, changes of it, and many texts out of one."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    # notes on reading
    "few_pairs": "The last line was read as parameters; A1111 itself wants three pairs or more, and would take it for a part of the prompt.",
    "no_known": "The last line was read as parameters, as A1111 does with three pairs such as “a: b”, but no key in it is known. It may be a part of the prompt.",
    "lines_after": "Lines follow the parameters. They are kept as they are and belong to nothing.",
    "one_line": "Prompt and parameters stand on one line, which A1111 would not part.",
    "negative_again": "More than one line begins with “Negative prompt:”. The first one parts the prompts.",
    "broken_quote": "The value of “{name}” begins with a quotation mark that is not closed. It was read up to the next comma.",
    # changes
    "bad_prompt": (
        "A1111's text cannot hold this prompt: it would be read as something else.",
        "Have no line of it begin with “Negative prompt:”, and no last line look like parameters (“a: b, c: d, e: f”).",
    ),
    "bad_negative": (
        "A1111's text cannot hold this negative prompt: it would be read as something else.",
        "Have no last line of it look like parameters (“a: b, c: d, e: f”).",
    ),
    "bad_key": (
        "“{name}” cannot be a key in A1111's text.",
        "Use a name without comma, colon, quotation mark or line break.",
    ),
    "bad_pair": (
        "“{name}” cannot be set: the text has no parameters yet, and with this pair alone A1111 would take them for a part of the prompt.",
        "Set Steps first, to a whole number.",
    ),
    "too_few_left": (
        "Without “{name}” too few pairs are left: they would be read as a part of the prompt.",
        "Keep three pairs or more, or take Steps away last.",
    ),
    # macros
    "not_four": (
        "Line {line} of the macros has {count} columns.",
        "Part target, action, search or key, and value by tabs; a replacement in a parameter has the key before the search text.",
    ),
    "no_target": (
        "Line {line} of the macros changes “{word}”, which is no target.",
        "Begin it with Prompt, Negative Prompt or Params.",
    ),
    "no_action": (
        "Line {line} of the macros asks for “{word}”, which is no action.",
        "Use one of these: {known}.",
    ),
    "no_key": (
        "Line {line} of the macros changes a parameter, but names no key.",
        "Put the key into the third column, for example Sampler.",
    ),
    "no_search": (
        "Line {line} of the macros replaces something, but says nothing to search for.",
        "Put the text to search for into the column before the last.",
    ),
    "bad_pattern": (
        "The regular expression “{pattern}” cannot be used: {reason}.",
        "Write it as Python's re module wants it, and put a backslash before characters such as ( ) [ ] . that stand for themselves.",
    ),
    "bad_pattern_there": (
        "The regular expression “{pattern}” in line {line} of the macros cannot be used: {reason}.",
        "Write it as Python's re module wants it, and put a backslash before characters such as ( ) [ ] . that stand for themselves.",
    ),
    "bad_replacement": (
        "The replacement “{text}” cannot be used with “{pattern}”: {reason}.",
        "Use groups that the expression has, such as \\1, and \\\\ for a backslash.",
    ),
    # expanding
    "too_many": (
        "This document would make {count:,} texts; {limit:,} is the most.",
        "Shorten its lists, or expand it in parts.",
    ),
    "empty_list": (
        "The list under “{name}” is empty, so there is nothing to make.",
        "Give it a value, or leave the key out.",
    ),
    "bad_value": (
        "The value under “{name}” is no text, number, or list of these.",
        "Write it as one of them.",
    ),
    "bad_count": (
        "“prompt_count” is not a whole number from 1 to {limit:,}.",
        "Say with it how many prompts a range such as 0.5~1 gives.",
    ),
}
