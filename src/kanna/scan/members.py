"""Looks into the files inside archives, by their content: what is no weight may be a pickle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kanna.formats.checkpoint.pickle_survey import Survey, survey, survey_at
from kanna.formats.checkpoint.zip_survey import LocalFile, inflated, local_files
from kanna.model import Note
from kanna.scan.pickles import is_pickle, judge
from kanna.scan.values import Place

if TYPE_CHECKING:
    from kanna.disk import InputFile
    from kanna.scan.report import Report

_MAX_INFLATED: Final = 16 << 20
_NEAR: Final = 4 << 10
_MAX_STREAMS: Final = 64
_PROTO: Final = b"\x80"
_NEXT: Final = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x07\x08)")
_NUMPY: Final = b"\x93NUMPY"
_END_OF_DIRECTORY: Final = b"PK\x05\x06"
_TAIL: Final = 22 + 0xFFFF


def judge_streams(report: Report, data: bytes, place: Place) -> None:
    """Judge the pickle that `data` is, and whatever follows its end."""
    at = 0
    for number in range(_MAX_STREAMS):
        found = survey(data, at)
        if number and found.end is None and not (is_pickle(found) or found.hidden):
            return
        judge(report, found, place)
        if found.end is None or found.end >= len(data):
            return
        if not number:
            count = len(data) - found.end
            note = Note("scan.ks110_is", {"count": count})
            report.add("KS110", note, place, position=found.end)
        at = found.end


def examine(report: Report, data: bytes, place: Place) -> bool:
    """Judge `data` if it is a pickle, or an array of numpy that holds one; return whether it is."""
    if data.startswith(_NUMPY):
        data = data[_numpy_header(data) :]
    marked = data.startswith(_PROTO)
    found = survey(data, sweep=marked)
    if not (is_pickle(found) or (marked and (found.hidden or found.end is not None))):
        return False
    judge_streams(report, data, place)
    return True


def examine_at(report: Report, file: InputFile, start: int, method: int, place: Place) -> bool:
    """Judge the bytes at `start` of `file`, packed by `method` of zip, if they are a pickle."""
    found = survey_at(file, start, sweep=False)
    head = file.read(start, min(8, file.size - start))
    if _is_worth(found, head):
        return examine(report, _member(file, start, found.reached), place)
    if method:
        data = inflated(file, start, _MAX_INFLATED)
        return examine(report, data, Place(path=place.path, member=place.member))
    return False


def _member(file: InputFile, start: int, reached: int) -> bytes:
    """Return the bytes from `start` to the next header of a zip behind `reached`, if there is one.

    Thousands of members lie close to each other, so little is read first.
    """
    data = b""
    for more in (_NEAR, _MAX_INFLATED):
        data = file.read(start, min(file.size - start, reached + more))
        if found := _NEXT.search(data, reached):
            return data[: found.start()]
    return data


def _is_worth(found: Survey, head: bytes) -> bool:
    return is_pickle(found) or head[:1] == _PROTO or head.startswith(_NUMPY)


def examine_loosely(report: Report, file: InputFile) -> None:
    """Judge every pickle behind any local header of a zip, whatever its directory says."""
    for found in local_files(file):
        place = Place(path=file.path, member=found.name, offset=found.start)
        check_name(report, found.name, place)
        if examine_at(report, file, found.start, found.method, place):
            _note_elsewhere(report, found, place)


def _note_elsewhere(report: Report, found: LocalFile, place: Place) -> None:
    if found.name.casefold().rpartition("/")[2] != "data.pkl":
        report.add("KS205", Note("scan.ks205_is", {"member": found.name}), place)


def check_name(report: Report, name: str, place: Place) -> None:
    """Note a member whose name leads out of the folder that it would be unpacked to."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or not parts[0] or ":" in parts[0]:
        report.add("KS206", Note("scan.ks206_is", {"member": name}), place)


def has_zip_at_end(file: InputFile) -> bool:
    """Whether programs that look for zip archives from the end would take `file` for one."""
    reach = min(file.size, _TAIL)
    tail = file.read(file.size - reach, reach)
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or at + 22 > len(tail):
        return False
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    start = file.size - reach + at - size
    return start >= 0 and (size < 4 or file.read(start, 4) == b"PK\x01\x02")


def _numpy_header(data: bytes) -> int:
    """Return where the array begins behind the header of an ``.npy`` file."""
    width = 2 if data[6:7] == b"\x01" else 4
    return 8 + width + int.from_bytes(data[8 : 8 + width], "little")
