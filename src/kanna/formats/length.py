"""Whether a file is as long as its header says; the usual damage is a download that stopped."""

from __future__ import annotations

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.messages import size_text


def check_length(file: InputFile, need: int) -> None:
    """Check that `file` has the `need` bytes that its header speaks of.

    Raises:
        FormatError: it is shorter; the message says how much of it is there.
    """
    if file.size < need:
        raise FormatError(
            "formats.cut_short",
            path=file.path,
            percent=int(100 * file.size / need),
            have=size_text(file.size),
            need=size_text(need),
        )
