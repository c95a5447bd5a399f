"""
Draws results as SVG: text stays text, ids are the same each time, so that differences are small.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.measure import Spread

_FOLDER = Path(__file__).parents[1] / "docs" / "results"
_COLOURS = {"sink": "tab:blue", "floor": "tab:grey"}


@contextmanager
def drawn(name: str, panels: int) -> Iterator[list[Axes]]:
    """
    Give panels side by side to draw in; the picture is written at the end.
    """
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 9}):
        figure = Figure(figsize=(9, 3), layout="constrained")
        yield list(figure.subplots(1, panels, squeeze=False)[0])
        _FOLDER.mkdir(exist_ok=True)
        figure.savefig(_FOLDER / f"{name}.svg", format="svg", metadata={"Date": None})


def bars(panel: Axes, values: Mapping[str, Spread], title: str) -> None:
    """
    Draw medians as bars, with their extremes.
    """
    names = [*values]
    medians = [each.median for each in values.values()]
    below = [each.median - each.low for each in values.values()]
    above = [each.high - each.median for each in values.values()]
    colours = [_COLOURS.get(name, "tab:orange") for name in names]
    panel.barh(names, medians, xerr=[below, above], color=colours)
    panel.invert_yaxis()
    panel.set_title(title)
