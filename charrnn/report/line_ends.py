"""Where lines end in a panel, and where labels beside them do not overlap."""

import numpy as np

from charrnn.arrays import Array


def visible_end(points: Array, box: Array) -> Array:
    """The last point of a line that is inside a box; or the nearest to its end, if none is.

    Args:
        points: The points of the line (n, 2), joined by straight segments; those that are not
            finite are left out.
        box: Left, bottom, right and top of the box (4,).

    Returns:
        The point (2,), inside the box.
    """
    low, high = box[:2], box[2:]
    points = points[np.isfinite(points).all(axis=1)]
    starts, steps = points[:-1], np.diff(points, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = np.hstack([(low - starts) / steps, (high - starts) / steps])
    along = np.pad(crossings, ((0, 0), (1, 1)), constant_values=(0, 1))  # ends of segments too
    along = np.sort(np.where((along >= 0) & (along <= 1), along, 0), axis=1)
    candidates = (starts[:, None] + along[..., None] * steps[:, None]).reshape(-1, 2)
    inside = ((candidates > low - 0.5) & (candidates < high + 0.5)).all(axis=1)  # half a pixel
    last = candidates[inside][-1:] if inside.any() else points[-1:]
    end: Array = np.clip(np.vstack([[high[0], low[1]], last])[-1], low, high)
    return end


def apart(wanted: Array, heights: Array, low: float, high: float) -> Array:
    """Moves labels in a column apart, each as little as possible.

    Minimizes the sum of squared displacements, subject to the order of the labels, by pooling
    adjacent labels that overlap, which is isotonic regression.

    Args:
        wanted: The centre that each label should have (n,).
        heights: Their heights (n,).
        low: The lower end of the column.
        high: Its upper end. Labels that are higher together extend over both ends.

    Returns:
        The centres of the labels (n,). Of labels that want the same pixel, the first is on top.
    """
    order = np.lexsort([-np.arange(len(wanted)), wanted.round()])
    below = np.cumsum(heights[order]) - heights[order] / 2  # the centres if packed from 0 up
    groups: list[tuple[float, int]] = []  # the shift that labels packed together want, their number
    for shift in wanted[order] - below:
        groups.append((float(shift), 1))
        while len(groups) > 1 and groups[-2][0] >= groups[-1][0]:
            (first, few), (second, more) = groups[-2:]
            groups[-2:] = [((first * few + second * more) / (few + more), few + more)]
    shifts = np.repeat([shift for shift, _ in groups], [number for _, number in groups])
    spare = high - low - heights.sum()
    bottom = low + min(spare, 0) / 2
    centres = np.empty(len(wanted))
    centres[order] = np.clip(shifts, bottom, bottom + max(spare, 0)) + below
    return centres
