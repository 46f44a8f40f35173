"""The error report as a picture: one self-contained SVG, a bar for each block on a log scale.

It fetches nothing, follows the reader's light or dark setting, and says in its title and
description what it shows. Names from files are escaped: nothing in one can become markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10
from typing import Final

from kanna.messages import language, say, shown
from kanna.ops.error_report import ErrorReport, ErrorRow, stack_of

_WIDTH: Final = 960
_MARGIN: Final = 28
_ROW: Final = 20
_BAR: Final = 11
_GAP: Final = 10  # between stacks of blocks
_HEAD: Final = 152  # title, subject, legend and the scale
_FOOT: Final = 44
_LETTER: Final = 6.7  # width of a letter of a label
_LONGEST: Final = 44  # letters of a label
_SUBJECT: Final = 110  # letters under the title
_VALUES: Final = 84  # width of the numbers at the right
_DECADES: Final = 6  # what is smaller still ends at the left edge
_MOST_ROWS: Final = 400

# No custom properties: Inkscape, librsvg and file managers would draw all of it black.
_STYLE: Final = """
.kanna-error text{font:12px system-ui,"Hiragino Sans","Noto Sans JP","Yu Gothic UI",sans-serif;
 fill:#1d2430}
.kanna-error .title{font-size:20px;font-weight:600}
.kanna-error .name{font:11px ui-monospace,"SFMono-Regular",Consolas,monospace}
.kanna-error .quiet{fill:#667080}
.kanna-error .end{text-anchor:end}
.kanna-error .middle{text-anchor:middle}
.kanna-error .paper{fill:#fff}
.kanna-error .grid{stroke:#dfe4ea}
.kanna-error .bar{fill:#2f7fb8}
.kanna-error .worst{fill:#c2410c}
.kanna-error .all{stroke:#7c3aed;stroke-width:1.5;stroke-dasharray:5 4}
@media(prefers-color-scheme:dark){
 .kanna-error text{fill:#e8edf3}
 .kanna-error .quiet{fill:#97a3b3}
 .kanna-error .paper{fill:#12161c}
 .kanna-error .grid{stroke:#2b333d}
 .kanna-error .bar{fill:#58a6da}
 .kanna-error .worst{fill:#fb923c}
 .kanna-error .all{stroke:#b794f6}}
"""


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where errors lie from left to right: powers of ten from `low` to `high`."""

    left: float
    right: float
    low: int
    high: int

    def at(self, value: float) -> float:
        share = (log10(value) - self.low) / (self.high - self.low)
        return self.left + min(max(share, 0), 1) * (self.right - self.left)


def error_svg(report: ErrorReport, *, subject: str = "") -> str:
    """Return the picture of `report`, in the language in force; `subject` stands under the title.

    The longer a bar, the larger the relative RMS error of a block; a dot marks its worst tensor,
    a dashed line the whole.
    """
    rows = report.blocks[:_MOST_ROWS]
    tops = list(_tops(rows))
    bottom = tops[-1] + _ROW if tops else _HEAD
    scale = _scale(report, rows)
    body = [
        f'<rect class="paper" width="{_WIDTH}" height="{bottom + _FOOT}"/>',
        *_heading(report, subject),
        *_grid(scale, bottom),
        *_overall(report, scale, bottom),
    ]
    for row, top in zip(rows, tops, strict=True):
        body += _bar(row, report.worst_of.get(row.name, 0), scale, top)
    body.append(_text(_MARGIN, bottom + 28, _footnote(report, rows), "quiet"))
    return _document(report, subject, bottom + _FOOT, body)


def percent(value: float | None) -> str:
    """Return a share as people read it: ``0.92 %``."""
    return "–" if value is None else f"{100 * value:#.3g}".rstrip(".") + " %"


def _document(report: ErrorReport, subject: str, height: float, body: list[str]) -> str:
    overall = report.overall
    told = say("error_report.picture_description", blocks=len(report.blocks),
               tensors=overall.tensors, rms=percent(overall.relative_rms))  # fmt: skip
    title = " – ".join(filter(None, (say("error_report.title"), shown(subject))))
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kanna-error" lang="{language()}" '
        f'role="img" aria-labelledby="kanna-error-title kanna-error-desc" '
        f'viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}">',
        f'<title id="kanna-error-title">{escape(title)}</title>',
        f'<desc id="kanna-error-desc">{escape(told)}</desc>',
        f"<style>{_STYLE}</style>",
        *body,
        "</svg>\n",
    ))  # fmt: skip


def _tops(rows: tuple[ErrorRow, ...]) -> Iterator[float]:
    """Yield where each row begins, stacks (``double_blocks``, ``single_blocks``) set apart."""
    top, before = float(_HEAD), None
    for row in rows:
        stack = stack_of(row.name)
        top += _GAP if before is not None and stack != before else 0
        yield top
        top, before = top + _ROW, stack


def _scale(report: ErrorReport, rows: tuple[ErrorRow, ...]) -> _Scale:
    labels = max((len(_label(row)) for row in rows), default=0)
    values = [row.relative_rms for row in rows if row.relative_rms]
    worst = [value for value in report.worst_of.values() if value and isfinite(value)]
    high = ceil(log10(max([*values, *worst], default=1)))
    low = min(floor(log10(min(values, default=0.1))), high - 1)
    left = _MARGIN + labels * _LETTER + 12
    return _Scale(left, _WIDTH - _MARGIN - _VALUES, max(low, high - _DECADES), high)


def _heading(report: ErrorReport, subject: str) -> Iterator[str]:
    yield _text(_MARGIN, 40, say("error_report.title"), "title")
    summed = say("error_report.picture_overall", **_numbers(report.overall))
    yield _text(_MARGIN, 62, _short(shown(subject), _SUBJECT), "quiet")
    yield _text(_MARGIN, 80, summed, "quiet")
    yield f'<rect class="bar" x="{_MARGIN}" y="100" width="18" height="10" rx="2"/>'
    yield _text(_MARGIN + 26, 109, say("error_report.legend_block"))
    yield f'<circle class="worst" cx="{_MARGIN + 269}" cy="105" r="3.5"/>'
    yield _text(_MARGIN + 280, 109, say("error_report.legend_worst"))
    yield f'<path class="all" d="M{_MARGIN + 500} 105h24"/>'
    yield _text(_MARGIN + 532, 109, say("error_report.legend_overall"))


def _grid(scale: _Scale, bottom: float) -> Iterator[str]:
    for power in range(scale.low, scale.high + 1):
        x = scale.at(10.0**power)
        yield f'<path class="grid" d="M{x:.1f} {_HEAD - 8}V{bottom:g}"/>'
        yield _text(x, _HEAD - 14, f"{10.0 ** (power + 2):g} %", "quiet middle")


def _overall(report: ErrorReport, scale: _Scale, bottom: float) -> Iterator[str]:
    if value := report.overall.relative_rms:
        yield f'<path class="all" d="M{scale.at(value):.1f} {_HEAD - 8}V{bottom:g}"/>'


def _bar(row: ErrorRow, worst: float, scale: _Scale, top: float) -> Iterator[str]:
    middle = top + _ROW / 2
    yield f"<g><title>{escape(_told(row))}</title>"
    yield _text(scale.left - 8, middle + 4, _label(row), "name end")
    if row.relative_rms:
        length = max(scale.at(row.relative_rms) - scale.left, 2)
        yield (f'<rect class="bar" x="{scale.left:.1f}" y="{middle - _BAR / 2:g}" '
               f'width="{length:.1f}" height="{_BAR}" rx="2"/>')  # fmt: skip
        if isfinite(worst) and row.tensors > 1:
            yield f'<circle class="worst" cx="{scale.at(worst):.1f}" cy="{middle:g}" r="3.5"/>'
    value = say("error_report.exact") if row.exact else percent(row.relative_rms)
    yield _text(_WIDTH - _MARGIN, middle + 4, value, "end quiet" if row.exact else "end")
    yield "</g>"


def _told(row: ErrorRow) -> str:
    return say("error_report.picture_row", name=row.name, tensors=row.tensors, **_numbers(row))


def _numbers(row: ErrorRow) -> dict[str, str]:
    return {
        "rms": percent(row.relative_rms),
        "cosine": cosine_text(row.cosine),
        "largest": largest_text(row.largest),
    }


def _footnote(report: ErrorReport, rows: tuple[ErrorRow, ...]) -> str:
    left_out = len(report.blocks) - len(rows)
    more = say("error_report.picture_more", count=left_out) if left_out else ""
    return " ".join(filter(None, (say("error_report.picture_note"), more)))


def _label(row: ErrorRow) -> str:
    return _short(shown(row.name), _LONGEST)


def _short(text: str, most: int) -> str:
    """Return the end of a text that is too long: there names differ."""
    return text if len(text) <= most else f"…{text[1 - most :]}"


def cosine_text(value: float | None) -> str:
    """Return a cosine with the digits in which it differs from 1."""
    return "–" if value is None else f"{value:.6f}"


def largest_text(value: float | None) -> str:
    """Return an absolute error."""
    return "–" if value is None else f"{value:#.3g}".rstrip(".")


def _text(x: float, y: float, text: str, style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:g}">{escape(text)}</text>'
