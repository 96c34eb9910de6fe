import shapely
from matplotlib.figure import Figure

from planner.report.labels import place_labels


def test_no_label_covers_another():
    """Nine small areas side by side, with labels wider than any of them."""
    figure = Figure(figsize=(6, 4), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 600)
    axes.set_ylim(0, 400)
    areas = [
        shapely.box(250 + 20 * column, 150 + 20 * row, 270 + 20 * column, 170 + 20 * row)
        for row in range(3)
        for column in range(3)
    ]
    words = [f"unit {number}\n{number}0.0%" for number in range(9)]
    place_labels(axes, areas, words)
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in axes.texts]
    assert [label.get_text() for label in axes.texts] == words
    for number, one in enumerate(boxes):
        assert axes.bbox.x0 <= one.x0
        assert one.x1 <= axes.bbox.x1
        for other in boxes[number + 1 :]:
            assert not one.overlaps(other)
