"""The rates as an SVG: a row a side, a column of bars a job; it follows the reader's light or dark scheme."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from bench.compare.measure import JOBS, Measured, Phase
from bench.compare.side import Side

NAMES, COLUMN, GAP, MARGIN = 200, 210, 22, 24
TOP, BAR, BAR_GAP, ROW_GAP = 118, 12, 3, 16
# What a bar leaves of its column for its number.
FOR_NUMBER = 46
WIDTH = MARGIN * 2 + NAMES + len(JOBS) * COLUMN + (len(JOBS) - 1) * GAP

STYLE = """
  .page { fill: #ffffff } .text { fill: #1d2733 } .quiet { fill: #5b6775 } .line { stroke: #d9dfe5 }
  .ours { fill: #0b6e4f } .theirs { fill: #8a97a6 } .second { opacity: .55 }
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
  .title { font-size: 18px; font-weight: 600 } .bold { font-weight: 600 } .small { font-size: 11.5px }
  @media (prefers-color-scheme: dark) {
    .page { fill: #12181f } .text { fill: #e6ebf0 } .quiet { fill: #9aa7b4 } .line { stroke: #2c3743 }
    .ours { fill: #3ecf9b } .theirs { fill: #6d7b8a }
  }
"""


def _text(x: float, y: float, words: str, kind: str = "text", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _left(job: int) -> float:
    return MARGIN + NAMES + job * (COLUMN + GAP)


def _bar(x: float, y: float, length: float, kind: str, rate: float) -> str:
    bar = f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(length, 1):.1f}" height="{BAR}" rx="2" class="{kind}"/>'
    return bar + _text(x + length + 5, y + BAR - 2, f"{rate:,.0f}", "text small")


def _height(phases: int) -> float:
    """Of one row."""
    return phases * (BAR + BAR_GAP) + ROW_GAP


def _most(measured: Mapping[Phase, Mapping[str, Measured]], job: str) -> float:
    return max(one.median(job).rate for found in measured.values() for one in found.values())


def _row(side: Side, y: float, measured: Mapping[Phase, Mapping[str, Measured]]) -> list[str]:
    ours = "ours" if side.key.startswith("grantway") else "theirs"
    middle = y + (_height(len(measured)) - ROW_GAP) / 2
    drawn = [_text(MARGIN, middle - 1, side.name, "text bold" if ours == "ours" else "text")]
    drawn.append(_text(MARGIN, middle + 13, side.storage, "quiet small"))
    for column, job in enumerate(JOBS):
        scale = (COLUMN - FOR_NUMBER) / _most(measured, job)
        for place, found in enumerate(measured.values()):
            if side.key not in found:
                continue
            rate = found[side.key].median(job).rate
            drawn.append(_bar(_left(column), y + place * (BAR + BAR_GAP), rate * scale, f"{ours}{' second' * bool(place)}", rate))
    return drawn


def _legend(phases: Sequence[Phase]) -> list[str]:
    drawn, x = [], float(MARGIN)
    for place, phase in enumerate(phases):
        drawn.append(f'<rect x="{x:.1f}" y="60" width="22" height="{BAR}" rx="2" class="theirs{" second" * bool(place)}"/>')
        words = f"{phase.name} for the server" if place == 0 else phase.name
        drawn.append(_text(x + 28, 70, words, "quiet small"))
        x += 60 + 6.4 * len(words)
    return drawn


def _heads(bottom: float) -> list[str]:
    drawn = []
    for column, job in enumerate(JOBS):
        x = _left(column)
        drawn.append(_text(x, TOP - 18, job, "text bold"))
        drawn.append(f'<line x1="{x - 0.5:.1f}" x2="{x - 0.5:.1f}" y1="{TOP - 8}" y2="{bottom:.1f}" class="line"/>')
    return drawn


def svg(sides: Sequence[Side], measured: Mapping[Phase, Mapping[str, Measured]], rounds: int) -> str:
    """The whole picture; bars of one column share a scale, columns don't."""
    sides = [side for side in sides if any(side.key in found for found in measured.values())]
    row = _height(len(measured))
    bottom = TOP + len(sides) * row - ROW_GAP / 2
    title = "Requests a second"
    told = f"Median of {rounds} rounds, 32 connections, one machine, sides in turns. Longer is better. What differs: bench/README.md."
    drawn = [_text(MARGIN, 34, title, "text title"), _text(MARGIN, 52, told, "quiet small"), *_legend(list(measured)), *_heads(bottom)]
    for number, side in enumerate(sides):
        drawn += _row(side, TOP + number * row, measured)
    height = bottom + MARGIN
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" role="img">'
    )
    label = f"<title>{title}: exchange, introspection and revocation, Grantway beside its peers</title>"
    page = f'<rect width="{WIDTH}" height="{height:.0f}" class="page"/>'
    return "\n".join([opening, label, f"<style>{STYLE}</style>", page, *drawn, "</svg>"]) + "\n"
