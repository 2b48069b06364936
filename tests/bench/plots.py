"""Plots of what was measured, with matplotlib, which the extra `bench` brings."""

from collections.abc import Sequence
from pathlib import Path

from .figures import Figure

__all__ = ["draw"]

_WIDTH, _HEIGHT_OF_ROW = 11.0, 0.35


def draw(title: str, figures: Sequence[Figure], folder: Path) -> list[Path]:
    """Files for what was measured in rounds, ratios as boxes; what grows with time; with a size."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    ratios = {each.what: each.ratio.values for each in figures if each.rounds and each.ratio}
    if ratios:
        made.append(_boxes(title, ratios, folder / f"{title}.png"))
    series = {f"{each.what} {each.unit}": each.series for each in figures if each.series}
    if series:
        made.append(_lines(title, series, folder / f"{title}-over-time.png"))
    sizes = [each for each in figures if each.size is not None]
    if sizes:
        made.append(_growth(title, sizes, folder / f"{title}-by-size.png"))
    return made


def _boxes(title: str, ratios: dict[str, list[float]], file: Path) -> Path:
    figure = _figure(1 + _HEIGHT_OF_ROW * len(ratios))
    axes = figure.subplots()
    axes.boxplot(list(ratios.values())[::-1], vert=False, tick_labels=list(ratios)[::-1])
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("times what it is compared with, within a round")
    axes.set_title(title)
    figure.savefig(file)
    return file


def _lines(title: str, series: dict[str, list[float]], file: Path) -> Path:
    figure = _figure(1 + 1.6 * len(series))
    for axes, (name, values) in zip(
        figure.subplots(len(series), sharex=True, squeeze=False)[:, 0], series.items(), strict=True
    ):
        axes.plot([second / 60 for second in range(len(values))], values, linewidth=0.8)
        axes.set_ylim(bottom=0)
        axes.set_title(name, fontsize=9)
    axes.set_xlabel("minutes")
    figure.suptitle(title)
    figure.savefig(file)
    return file


def _growth(title: str, figures: Sequence[Figure], file: Path) -> Path:
    """Medians with their quartiles, beside what would be linear from the smallest size on."""
    figure = _figure(4.0)
    axes = figure.subplots()
    names = dict.fromkeys(each.what.rpartition(", ")[0] for each in figures)
    for name in names:
        of_it = [each for each in figures if each.what.rpartition(", ")[0] == name]
        sizes = [each.size or 0 for each in of_it]
        middle = [each.sample.median for each in of_it]
        spread = [each.sample.quartiles for each in of_it]
        below = [value - low for value, (low, _) in zip(middle, spread, strict=True)]
        above = [high - value for value, (_, high) in zip(middle, spread, strict=True)]
        axes.errorbar(sizes, middle, yerr=[below, above], marker="o", capsize=3, label=name)
        linear = [middle[0] * size / sizes[0] for size in sizes]
        axes.plot(sizes, linear, color="grey", linewidth=0.6, linestyle=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("rooms; dotted: linear")
    axes.set_ylabel(figures[0].unit)
    axes.legend()
    axes.set_title(title)
    figure.savefig(file)
    return file


def _figure(height: float):  # type: ignore[no-untyped-def]  # there without the extra too
    from matplotlib.figure import Figure as Canvas

    return Canvas(figsize=(_WIDTH, height), layout="constrained")
