"""safetensors and GGUF: containers that hold data only, as long as every byte belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kanna.errors import KannaError
from kanna.formats.checkpoint.pickle_survey import survey_at
from kanna.formats.gguf import open_gguf, read_header
from kanna.formats.safetensors import open_safetensors
from kanna.model import Note
from kanna.scan.members import examine_loosely, has_zip_at_end
from kanna.scan.pickles import is_pickle, judge
from kanna.scan.values import Place

if TYPE_CHECKING:
    from kanna.disk import InputFile
    from kanna.formats.gguf import Header
    from kanna.scan.report import Report

_MAX_ALIGNMENT: Final = 4096  # of GGUF; wider ones leave room for other things


def scan_safetensors(report: Report, file: InputFile) -> None:
    """Add what is wrong with a safetensors file to `report`; only its header is read."""
    try:
        model = open_safetensors(file)
    except KannaError as error:
        report.add_error(error, Place(path=file.path))
    else:
        report.container = report.container or model.container
        report.accounted += file.size
    _look_for_others(report, file)


def scan_gguf(report: Report, file: InputFile) -> None:
    """Add what is wrong with a GGUF file to `report`; only its header is read."""
    try:
        model, header = open_gguf(file), read_header(file)
    except KannaError as error:
        report.add_error(error, Place(path=file.path))
    else:
        report.container = report.container or model.container
        report.accounted += file.size
        _judge_gaps(report, file, header)
    _look_for_others(report, file)


def _judge_gaps(report: Report, file: InputFile, header: Header) -> None:
    """Note bytes that belong to no tensor and are more than alignment needs."""
    if header.alignment > _MAX_ALIGNMENT:
        note = Note("scan.ks203_alignment", {"count": header.alignment})
        report.add("KS203", note, Place(path=file.path))
    end = 0
    for entry in sorted(header.entries, key=lambda entry: entry.offset):
        _judge_gap(report, file, header, header.start + end, header.start + entry.offset)
        end = entry.end
    _judge_gap(report, file, header, header.start + end if end else header.end, file.size)


def _judge_gap(report: Report, file: InputFile, header: Header, start: int, end: int) -> None:
    if end - start >= header.alignment:
        report.accounted -= end - start
        values = {"count": end - start, "offset": start}
        report.add("KS203", Note("scan.ks203_is", values), Place(path=file.path, offset=start))


def _look_for_others(report: Report, file: InputFile) -> None:
    """Note a pickle or a zip that other programs would find in the same bytes."""
    found = survey_at(file, 0, sweep=False)
    if is_pickle(found):
        report.add("KS209", Note("scan.ks209_pickle"), Place(path=file.path))
        judge(report, found, Place(path=file.path, offset=0))
    if has_zip_at_end(file):
        report.add("KS209", Note("scan.ks209_zip"), Place(path=file.path))
        examine_loosely(report, file)
