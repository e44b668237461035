"""What is read of a figure: all that it tells, wherever in the figure it stands."""

import pytest
from matplotlib.figure import Figure

from neuroprimer.teaching.golden.reading import read_figure


@pytest.fixture
def figure() -> Figure:
    return Figure()


def test_second_scale_is_read_with_its_label(figure):
    axes = figure.subplots()
    axes.plot([0, 1], [0, 10])
    axes.secondary_yaxis("right", functions=(lambda y: 2 * y, lambda y: y / 2)).set_ylabel("twice")

    lines = read_figure(figure).split("\n")

    assert "axes 1 line 1 y: 0.0 10.0" in lines
    assert "axes 2 y label: 'twice'" in lines


def test_words_of_subfigures_are_read(figure):
    left, _ = figure.subfigures(1, 2)
    left.suptitle("left hemisphere")

    assert "figure text: 'left hemisphere'" in read_figure(figure)


def test_legend_of_the_whole_figure_is_read(figure):
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label="faces")
    figure.legend()

    assert "figure legend: 'faces'" in read_figure(figure)
