"""The comparison as a picture: blocks by groups of components, coloured by how much they differ.

One self-contained SVG. It fetches nothing, follows the reader's light or dark setting, and says in
its title and description what it shows. Names from files are escaped: nothing in one can become
markup. The same report gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import log10
from typing import Final

from kanna.identity import said
from kanna.messages import language, say, shown
from kanna.ops.diff import COLUMNS, DiffReport, Section
from kanna.ops.diff_rows import Row
from kanna.ops.error_picture import percent
from kanna.ops.parts import MODEL

_WIDTH: Final = 900
_MARGIN: Final = 28
_ROW: Final = 20
_GAP: Final = 12  # between parts
_HEAD: Final = 176  # title, files, verdict, legend and the columns' names
_FOOT: Final = 20
_LETTER: Final = 6.7  # width of a letter of a label
_LONGEST: Final = 30  # letters of a label
_SUBJECT: Final = 118  # letters of a line of text
_VERDICT_LINES: Final = 2
_MOST_ROWS: Final = 200
_STEPS: Final = 12  # shades, three for a power of ten; the last one ends where all has changed
_PER_DECADE: Final = 3

# No custom properties: Inkscape, librsvg and file managers would draw all of it black. The shades
# go from light to dark, and the other way round on dark paper; those between are mixed.
_LIGHT: Final = ("#fdebc8", "#fbd28f", "#f8b25b", "#f08b3c", "#de6330", "#bd3f2e", "#92272f",
                 "#641a2e")  # fmt: skip
_DARK: Final = ("#3a2330", "#5a2635", "#7f2f36", "#a74236", "#cb5f39", "#e68a45", "#f5b964",
                "#fde3a0")  # fmt: skip
_STYLE: Final = """
.kanna-diff text{font:12px system-ui,"Hiragino Sans","Noto Sans JP","Yu Gothic UI",sans-serif;
 fill:#1d2430}
.kanna-diff .title{font-size:20px;font-weight:600}
.kanna-diff .name{font:11px ui-monospace,"SFMono-Regular",Consolas,monospace}
.kanna-diff .verdict{font-size:13px;font-weight:600}
.kanna-diff .quiet{fill:#667080}
.kanna-diff .end{text-anchor:end}
.kanna-diff .middle{text-anchor:middle}
.kanna-diff .paper{fill:#fff}
.kanna-diff .same{fill:#e3eef7}
.kanna-diff .none{fill:none;stroke:#e6eaef}
"""
_STYLE_DARK: Final = """
 .kanna-diff text{fill:#e8edf3}
 .kanna-diff .quiet{fill:#97a3b3}
 .kanna-diff .paper{fill:#12161c}
 .kanna-diff .same{fill:#1e3242}
 .kanna-diff .none{stroke:#252c35}
"""


def diff_svg(report: DiffReport, first: str = "", second: str = "") -> str:
    """Return the picture of `report` in the language in force; the two are the files' names.

    A row is a block, a column a group of components; the last column is the whole block.
    """
    rows = _rows(report)
    blocks = rows[:_MOST_ROWS]
    columns = [one for one in COLUMNS if any(one in block.groups for block in blocks)]
    left = _MARGIN + max((len(_label(one)) for one in blocks), default=0) * _LETTER + 10
    step = (_WIDTH - _MARGIN - left) / (len(columns) + 1)
    tops = list(_tops(blocks))
    bottom = tops[-1] + _ROW if tops else _HEAD
    more = len(rows) - len(blocks)
    height = bottom + _FOOT + (_ROW if more else 0)
    body = [
        f'<rect class="paper" width="{_WIDTH}" height="{height:g}"/>',
        *_heading(report, first, second),
        *_titles(columns, left, step),
    ]
    for block, top in zip(blocks, tops, strict=True):
        body += _row(block, columns, left, step, top)
    if more:
        body.append(_text(_MARGIN, bottom + _ROW, say("diff.svg_more", count=more), "quiet"))
    return _document(report, first, second, height, body)


def _rows(report: DiffReport) -> list[Section]:
    """Return what gets a row: every block, but a part in which nothing differs is one."""
    models = {block.part for block in report.blocks}
    rows: list[Section] = []
    for part in report.parts:
        if part.part in models:
            own = [block for block in report.blocks if block.part == part.part]
            rows += [part] if part.row.exact else own
    return rows


def _document(
    report: DiffReport, first: str, second: str, height: float, body: Sequence[str]
) -> str:
    told = say("diff.svg_description", blocks=len(report.blocks),
               rms=percent(report.overall.relative_rms))  # fmt: skip
    subject = say("diff.svg_subject", first=first, second=second)
    title = f"{say('diff.svg_title')} – {subject}"
    light, dark = _shades(_LIGHT), _shades(_DARK)
    style = f"{_STYLE}{light}\n@media(prefers-color-scheme:dark){{{_STYLE_DARK}{dark}}}\n"
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kanna-diff" lang="{language()}" '
        f'role="img" aria-labelledby="kanna-diff-title kanna-diff-desc" '
        f'viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}">',
        f'<title id="kanna-diff-title">{escape(title)}</title>',
        f'<desc id="kanna-diff-desc">{escape(told)}</desc>',
        f"<style>{style}</style>",
        *body,
        "</svg>\n",
    ))  # fmt: skip


def _shades(colours: Sequence[str]) -> str:
    """Return the rules of all shades, mixed of some."""
    rules = []
    for step in range(_STEPS):
        place = step / (_STEPS - 1) * (len(colours) - 1)
        low = min(int(place), len(colours) - 2)
        mixed = (
            round(int(one, 16) + (int(other, 16) - int(one, 16)) * (place - low))
            for one, other in zip(_channels(colours[low]), _channels(colours[low + 1]), strict=True)
        )
        rules.append(f".kanna-diff .s{step}{{fill:#{''.join(f'{one:02x}' for one in mixed)}}}")
    return "\n".join(rules)


def _channels(colour: str) -> tuple[str, str, str]:
    return colour[1:3], colour[3:5], colour[5:7]


def _heading(report: DiffReport, first: str, second: str) -> Iterator[str]:
    row = report.overall
    yield _text(_MARGIN, 38, say("diff.svg_title"), "title")
    subject = say("diff.svg_subject", first=first, second=second)
    yield _text(_MARGIN, 60, _short(subject), "quiet")
    headline = said(report.verdicts[0].note) if report.verdicts else ""
    for at, line in enumerate(_folded(headline)[:_VERDICT_LINES]):
        yield _text(_MARGIN, 82 + 17 * at, line, "verdict")
    summed = say("diff.svg_overall", rms=percent(row.relative_rms), distance=_small(row.distance),
                 equal=row.equal, tensors=row.tensors)  # fmt: skip
    yield _text(_MARGIN, 118, summed, "quiet")
    yield from _legend()


def _legend() -> Iterator[str]:
    """Yield the scale, with the number at which every shade begins."""
    x, y = float(_MARGIN), 128
    yield f'<rect class="same" x="{x:g}" y="{y}" width="34" height="11"/>'
    yield _text(x + 17, y + 22, say("diff.svg_equal"), "quiet middle")
    x += 44
    for step in range(_STEPS):
        yield f'<rect class="s{step}" x="{x + 26 * step:g}" y="{y}" width="26" height="11"/>'
        if step and step % _PER_DECADE == 0:
            share = f"{10.0 ** (_begins(step) + 2):g} %"
            yield _text(x + 26 * step, y + 22, share, "quiet middle")
    yield _text(x + 26 * _STEPS + 14, y + 10, say("diff.svg_legend"), "quiet")


def _begins(step: int) -> float:
    """Return the logarithm of the difference at which a shade begins."""
    return (step - _STEPS) / _PER_DECADE


def _titles(columns: Sequence[str], left: float, step: float) -> Iterator[str]:
    for at, column in enumerate([*columns, say("diff.svg_all")]):
        yield _text(left + step * (at + 0.5), _HEAD - 4, column, "name middle")


def _tops(blocks: Sequence[Section]) -> Iterator[float]:
    """Yield where each row begins, parts set apart."""
    top, before = float(_HEAD) + 2, None
    for block in blocks:
        top += _GAP if before is not None and block.part != before else 0
        yield top
        top, before = top + _ROW, block.part


def _row(
    block: Section, columns: Sequence[str], left: float, step: float, top: float
) -> Iterator[str]:
    yield _text(left - 8, top + 14, _label(block), "name end")
    for at, column in enumerate(columns):
        yield _cell(block, column, block.groups.get(column), left + step * at, top, step)
    yield _cell(block, say("diff.svg_all"), block.row, left + step * len(columns), top, step)


def _cell(
    block: Section, column: str, row: Row | None, x: float, top: float, step: float
) -> str:  # fmt: skip
    box = f'x="{x + 1:.1f}" y="{top + 1:g}" width="{step - 2:.1f}" height="{_ROW - 2}" rx="2"'
    if row is None:
        return f'<rect class="none" {box}/>'
    told = say("diff.svg_cell", block=block.row.name, group=column, rms=percent(row.relative_rms),
               equal=row.equal, tensors=row.tensors)  # fmt: skip
    return f'<rect class="{_shade(row)}" {box}><title>{escape(told)}</title></rect>'


def _shade(row: Row) -> str:
    """Return the class of a colour: of equal numbers, or of the logarithm of the difference."""
    if row.exact:
        return "same"
    if row.relative_rms is None:
        return f"s{_STEPS - 1}"
    if not row.relative_rms:
        return "s0"
    step = int((log10(row.relative_rms) - _begins(0)) * _PER_DECADE)
    return f"s{min(max(step, 0), _STEPS - 1)}"


def _label(block: Section) -> str:
    role, word = block.part
    name = block.row.name
    if role != MODEL and name != word:  # of a path the end, where rows differ
        name = f"{word} {'.'.join(name.split('.')[-2:])}"
    return _end_of(shown(name), _LONGEST)


def _end_of(text: str, most: int) -> str:
    """Return the end of a text that is too long: there names differ."""
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _short(text: str) -> str:
    return text if len(text) <= _SUBJECT else f"{text[: _SUBJECT - 1]}…"


def _folded(text: str) -> list[str]:
    """Return a sentence in lines that fit; Japanese letters are twice as wide as others."""
    lines, line, width = [], "", 0
    for piece in text.split(" ") if text.isascii() or " " in text else list(text):
        joint = " " if line and " " in text else ""
        size = sum(1 if one.isascii() else 2 for one in joint + piece)
        if line and width + size > _SUBJECT:
            lines.append(line)
            line, width, joint = "", 0, ""
        line += joint + piece
        width += size
    return [*lines, line]


def _small(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"


def _text(x: float, y: float, text: str, style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:g}">{escape(text)}</text>'
