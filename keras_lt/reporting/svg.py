"""Charts as SVG, so small that a page can hold many of them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

WIDTH, HEIGHT = 480, 270
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 44
# At least 4.5 : 1 on white.
COLORS = ("#2f55c4", "#b35900", "#1f7a3a", "#7a3fd1", "#a3293b", "#50606f")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2")
Values = Sequence[float] | np.ndarray


class Chart:
    """Lines, points and areas over two axes.

    Args:
        title: What it shows, also for those who cannot see it.
        x: First and last value.
        y: The same.
        labels: Of the axes.
        ticks: Values and texts on the x axis, in place of numbers.
        log: Whether the y axis is logarithmic.
    """

    def __init__(
        self,
        title: str,
        *,
        x: tuple[float, float],
        y: tuple[float, float],
        labels: tuple[str, str],
        ticks: Sequence[tuple[float, str]] | None = None,
        log: bool = False,
    ):
        self.title, self.labels, self.log = title, labels, log
        self.x = x if x[1] > x[0] else (x[0] - 0.5, x[0] + 0.5)
        self.y = y if y[1] > y[0] else (y[0], y[0] + 1)
        self.ticks = ticks or [(v, f"{v:g}") for v in _ticks(*self.x)]
        self.behind: list[str] = []
        self.parts: list[str] = []
        self.legend: list[tuple[str, str, str]] = []

    def line(
        self,
        x: Values,
        y: Values,
        *,
        number: int = 0,
        label: str | None = None,
        dashed: bool = False,
        dots: bool = False,
    ) -> None:
        """Draw a line, with gaps where a value is missing.

        Args:
            x: Length L.
            y: Length L; NaN for a gap.
            number: Of its colour.
            label: For the legend.
            dashed: Whether it is.
            dots: Whether to mark the values.
        """
        color = COLORS[number % len(COLORS)]
        dash = "5 4" if dashed else ""
        for piece in _pieces(self._points(x, y)):
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in piece)
            if len(piece) > 1:
                self.parts.append(
                    f'<polyline points="{path}" fill="none" stroke="{color}" '
                    f'stroke-width="1.8" stroke-dasharray="{dash}"/>'
                )
            if dots or len(piece) == 1:
                self.parts += [
                    f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{color}"/>'
                    for a, b in piece
                ]
        if label is not None:
            self.legend.append((label, color, dash))

    def area(self, y: Values, highest: float) -> None:
        """Fill below values at 0, 1, 2, ..., of a scale of their own.

        Args:
            y: Values > 0, drawn by their logarithms.
            highest: The value that reaches the top.
        """
        scale = math.log(highest + 1) or 1.0
        floor = HEIGHT - BOTTOM
        path = [f"M{self._across(-0.5):.1f},{floor}"]
        for place, value in enumerate(y):
            up = (floor - TOP) * math.log(value + 1) / scale
            path.append(f"V{floor - up:.1f}H{self._across(place + 0.5):.1f}")
        d = "".join(path)
        self.behind.append(f'<path d="{d}V{floor}Z" fill="#e4e8ee"/>')

    def bars(self, x: Values, y: Values, width: float) -> None:
        """Draw bars from 0, in grey, behind the lines."""
        floor = self._down(0)
        for (a, b), value in zip(self._points(x, y), y, strict=True):
            if not math.isnan(value):
                wide = width * (WIDTH - LEFT - RIGHT) / (self.x[1] - self.x[0])
                self.behind.append(
                    f'<rect x="{a - wide / 2:.1f}" y="{b:.1f}" '
                    f'width="{wide:.1f}" height="{max(floor - b, 0):.1f}" '
                    'fill="#c9d2de"/>'
                )

    def rule(self, x: float) -> None:
        """Draw a dotted vertical line."""
        a = self._across(x)
        self.behind.append(
            f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{TOP}" '
            f'y2="{HEIGHT - BOTTOM}" stroke="#7b8794" stroke-dasharray="2 3"/>'
        )

    def svg(self) -> Any:
        """The chart with its legend, as safe HTML."""
        from markupsafe import Markup, escape

        body = "".join([*self.behind, *self._axes(escape), *self.parts])
        legend = "".join(
            '<li><svg width="26" height="8" aria-hidden="true"><line x1="0" '
            f'x2="26" y1="4" y2="4" stroke="{color}" stroke-width="2.5" '
            f'stroke-dasharray="{dash}"/></svg> {escape(label)}</li>'
            for label, color, dash in self.legend
        )
        legend = legend and f'<ul class="legend">{legend}</ul>'
        title = escape(self.title)
        return Markup(
            f'<figure><figcaption>{title}</figcaption><svg role="img" '
            f'aria-label="{title}" viewBox="0 0 {WIDTH} {HEIGHT}">{body}</svg>'
            f"{legend}</figure>"
        )

    def _axes(self, escape):
        floor = HEIGHT - BOTTOM
        values = _powers(*self.y) if self.log else _ticks(*self.y)
        for value in values:
            b = self._down(value)
            yield (
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{b:.1f}" '
                f'y2="{b:.1f}" stroke="#d5dae1" stroke-width="0.7"/>'
                f'<text x="{LEFT - 6}" y="{b + 4.5:.1f}" text-anchor="end">'
                f"{value:g}</text>"
            )
        for value, text in self.ticks:
            yield (
                f'<text x="{self._across(value):.1f}" y="{floor + 17}" '
                f'text-anchor="middle">{escape(text)}</text>'
            )
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" '
            f'y2="{floor}" stroke="#50606f"/>'
            f'<text x="{middle}" y="{HEIGHT - 7}" text-anchor="middle">'
            f"{escape(self.labels[0])}</text>"
            f'<text transform="translate(13 {(TOP + floor) / 2}) rotate(-90)" '
            f'text-anchor="middle">{escape(self.labels[1])}</text>'
        )

    def _points(self, x, y):
        pairs = zip(x, y, strict=True)
        return [(self._across(a), self._down(b)) for a, b in pairs]

    def _across(self, x):
        low, high = self.x
        return LEFT + (WIDTH - LEFT - RIGHT) * (x - low) / (high - low)

    def _down(self, y):
        low, high = self.y
        if self.log:
            y, low, high = (math.log(max(v, 1e-12)) for v in (y, low, high))
        share = (y - low) / ((high - low) or 1.0)
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share


def _pieces(points):
    """Runs of points without a NaN."""
    piece = []
    for point in points:
        if math.isnan(point[1]):
            if piece:
                yield piece
            piece = []
        else:
            piece.append(point)
    if piece:
        yield piece


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers between two."""
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= 6:
            step *= factor
            break
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    """Powers of ten between two, or round numbers if there are too few."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    powers = [10.0**i for i in range(first, last + 1)]
    return powers if len(powers) > 1 else [v for v in _ticks(low, high) if v]
