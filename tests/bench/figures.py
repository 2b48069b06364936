"""Figures, and the table that they are printed as."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Figure", "Sample", "percentile", "table"]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass
class Sample:
    """The same thing measured several times, interleaved with the others."""

    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        """One more repetition."""
        self.values.append(value)

    @property
    def median(self) -> float:
        """What is reported."""
        return statistics.median(self.values)

    def over(self, other: "Sample") -> "Sample":
        """How many times the other's, round by round: a machine that slows down slows both."""
        return Sample([a / b for a, b in zip(self.values, other.values, strict=True)])

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between these is the middle half; of one value both are that value."""
        if len(self.values) < 2:
            return self.median, self.median
        lower, _, upper = statistics.quantiles(self.values, n=4, method="inclusive")
        return lower, upper

    @property
    def spread(self) -> str:
        """Smallest to largest: how noisy the machine was."""
        if len(self.values) < 2:
            return ""
        return f"{_short(min(self.values))} … {_short(max(self.values))}"


@dataclass
class Figure:
    """One row. `floor` is what it is compared with, `met` None where there is no target.

    `rounds`: what it is compared with round by round, in place of by the medians. `series`: what
    was measured every second, of which the sample is a part. `size`: of what it grows with, where
    the same was measured for several.
    """

    what: str
    sample: Sample
    unit: str
    floor: float | None = None
    floor_is: str = ""
    target: str = ""
    met: bool | None = None
    rounds: Sample | None = None
    series: list[float] = field(default_factory=list)
    size: int | None = None

    @property
    def ratio(self) -> Sample | None:
        """Its value over what it is compared with."""
        if self.rounds is not None:
            return self.sample.over(self.rounds)
        return Sample([self.sample.median / self.floor]) if self.floor else None

    def cells(self) -> list[str]:
        """The row as text."""
        value = self.sample.median
        ratio = "" if self.ratio is None else f"{self.ratio.median:.2f}"
        if self.ratio is not None and len(self.ratio.values) > 1:
            ratio += f" ({self.ratio.quartiles[0]:.2f} … {self.ratio.quartiles[1]:.2f})"
        floor = "" if self.floor is None else f"{_short(self.floor)} {self.floor_is}".strip()
        met = {None: "", True: "yes", False: "NO"}[self.met]
        measured = f"{_short(value)} {self.unit}"
        return [self.what, measured, self.sample.spread, floor, ratio, self.target, met]

    def document(self) -> dict[str, object]:
        """The row for a program to read, with every value measured."""
        return {
            "what": self.what,
            "unit": self.unit,
            "values": self.sample.values,
            "median": self.sample.median,
            "floor": self.floor,
            "floor_is": self.floor_is,
            "ratios": [] if self.ratio is None else self.ratio.values,
            "target": self.target,
            "met": self.met,
            "series": self.series,
            "size": self.size,
        }


_HEAD = ["figure", "measured", "spread", "peer or floor", "ratio", "target", "met"]


def table(figures: Sequence[Figure]) -> str:
    """All rows, aligned, as a Markdown table."""
    rows = [_HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
