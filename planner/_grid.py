"""The compiled kernels of placing points: a grid of line segments, and nothing else.

Imported when points are first placed (`planner._search.kernels`): numba is slow to import.
"""

import numpy as np

from planner._compiled import compiled

_HAIR = 1e-6


@compiled
def _columns(ax, ay, bx, by, row):
    """First and last column of a row of cells that a segment crosses, in cells."""
    low, high = min(ax, bx), max(ax, bx)
    if by != ay:
        # Where it enters and leaves the row; a hair more, so that rounding loses nothing.
        slope = (bx - ax) / (by - ay)
        one, other = ax + (row - ay) * slope, ax + (row + 1 - ay) * slope
        low = max(low, min(one, other) - 1e-6)
        high = min(high, max(one, other) + 1e-6)
    return np.int64(np.floor(low)), np.int64(np.floor(high))


@compiled
def measure(xy, line, along):
    """Fill in which share of its line's length lies before each vertex."""
    first = 0
    for vertex in range(len(xy)):
        if vertex == 0 or line[vertex] != line[vertex - 1]:
            first = vertex
            along[vertex] = 0.0
        else:
            dx, dy = xy[vertex, 0] - xy[vertex - 1, 0], xy[vertex, 1] - xy[vertex - 1, 1]
            along[vertex] = along[vertex - 1] + np.sqrt(dx * dx + dy * dy)
        if vertex + 1 == len(xy) or line[vertex + 1] != line[vertex]:
            whole = along[vertex]
            for before in range(first, vertex + 1):
                along[before] = along[before] / whole if whole > 0.0 else 0.0


@compiled
def fill(xy, segment, west, south, cell, shape):
    """Sort segments into the cells that they cross.

    Parameters
    ----------
    xy
        Vertices of all lines, one line after another.
    segment
        Vertex at which each segment begins.
    west, south, cell
        Corner of the grid; width of a cell.
    shape
        Rows and columns.

    Returns
    -------
    Where each cell's segments begin, and the segments.
    """
    rows, columns = shape
    start = np.zeros(rows * columns + 1, np.int64)
    held = np.empty(0, np.int32)
    # Once to count, once to fill.
    for filling in (False, True):
        if filling:
            for number in range(rows * columns):
                start[number + 1] += start[number]
            held = np.empty(start[-1], np.int32)
            for number in range(rows * columns, 0, -1):
                start[number] = start[number - 1]
            start[0] = 0
        for number in range(len(segment)):
            at = segment[number]
            ax, ay = (xy[at, 0] - west) / cell, (xy[at, 1] - south) / cell
            bx, by = (xy[at + 1, 0] - west) / cell, (xy[at + 1, 1] - south) / cell
            first = max(np.int64(np.floor(min(ay, by) - 1e-6)), 0)
            last = min(np.int64(np.floor(max(ay, by) + 1e-6)), rows - 1)
            for row in range(first, last + 1):
                left, right = _columns(ax, ay, bx, by, row)
                for column in range(max(left, 0), min(right, columns - 1) + 1):
                    place = row * columns + column + 1
                    if filling:
                        held[start[place]] = number
                    start[place] += 1
    return start, held


@compiled
def gather(xy, segment, line, held, segments):
    """Copy segments into the order in which cells hold them first.

    Parameters
    ----------
    xy, segment, line
        Vertices, the vertex at which each segment begins, the line of each segment.
    held
        The segments of all cells; changed to their new numbers.
    segments
        A record a segment, filled with its beginning, its extent, its line and vertex.
    """
    rank = np.full(len(segment), -1, np.int32)
    known = 0
    for place in range(len(held)):
        number = held[place]
        if rank[number] < 0:
            rank[number] = known
            at = segment[number]
            segments[known].x = xy[at, 0]
            segments[known].y = xy[at, 1]
            segments[known].dx = xy[at + 1, 0] - xy[at, 0]
            segments[known].dy = xy[at + 1, 1] - xy[at, 1]
            segments[known].line = line[number]
            segments[known].vertex = at
            known += 1
        held[place] = rank[number]


@compiled
def by_block(points, west, south, cell, shape, side, order):
    """Order points by blocks of cells, so that what one looks at serves the next.

    Parameters
    ----------
    points, west, south, cell, shape
        As `nearest` takes them.
    side
        Cells along a side of a block.
    order
        Filled with the points' rows.
    """
    rows, columns = shape
    across, up = columns // side + 1, rows // side + 1
    block = np.empty(len(points), np.int32)
    start = np.zeros(across * up + 1, np.int64)
    for point in range(len(points)):
        px, py = (points[point, 0] - west) / cell, (points[point, 1] - south) / cell
        # Points outside, or nowhere, go along with some block.
        column = np.int64(min(max(px, 0.0), columns - 1.0)) if np.isfinite(px) else 0
        row = np.int64(min(max(py, 0.0), rows - 1.0)) if np.isfinite(py) else 0
        block[point] = row // side * across + column // side
        start[block[point] + 1] += 1
    for number in range(across * up):
        start[number + 1] += start[number]
    for point in range(len(points)):
        order[start[block[point]]] = point
        start[block[point]] += 1


@compiled
def nearest(
    segments,
    along,
    start,
    held,
    west,
    south,
    cell,
    shape,
    usable,
    points,
    order,
    limit,
    edge,
    access,
    share,
):
    """Find the nearest line to each point; of equally near ones the first.

    Cells are looked through in rings around the point, until a ring lies farther away
    than what has been found.

    Parameters
    ----------
    segments, along
        What `gather` made of the segments; which share of its line lies before each vertex.
    start, held
        Where each cell's segments begin, and the segments.
    west, south, cell, shape
        As `fill` takes them.
    usable
        Whether each line may be used.
    points
        Two coordinates each; NaN is nowhere.
    order
        Rows of the points to look at.
    limit
        Greatest distance, inclusive.
    edge, access, share
        Filled with the line (-1 if none), the distance, and where along the line it is.
    """
    rows, columns = shape
    for turn in range(len(order)):
        point = np.int64(order[turn])
        px, py = points[point, 0], points[point, 1]
        edge[point] = -1
        access[point] = np.nan
        share[point] = np.nan
        if not (np.isfinite(px) and np.isfinite(py)):
            continue
        gx, gy = (px - west) / cell, (py - south) / cell
        # How far outside the grid, in cells: nearer rings hold nothing.
        outside = max(-gx, gx - columns, -gy, gy - rows, 0.0)
        if outside * cell > limit + cell:
            continue
        mine_x, mine_y = np.int64(np.floor(gx)), np.int64(np.floor(gy))
        inside = min(gx - mine_x, mine_x + 1 - gx, gy - mine_y, mine_y + 1 - gy)
        ring = max(np.int64(np.floor(outside)) - 1, 0)
        furthest = max(mine_x, columns - 1 - mine_x, mine_y, rows - 1 - mine_y)
        best, which, nearest_at, part = np.inf, np.int64(-1), np.int64(-1), 0.0
        square_best = (limit + _HAIR) * (limit + _HAIR)
        while ring <= furthest:
            # Everything in this ring is at least so far; a hair less for rounding.
            least = (ring - 1 + inside) * cell - _HAIR
            if ring > 0 and (least > best or least > limit):
                break
            for row in range(max(mine_y - ring, 0), min(mine_y + ring, rows - 1) + 1):
                left, right, step = mine_x - ring, mine_x + ring, max(2 * ring, 1)
                if row in (mine_y - ring, mine_y + ring):
                    # The top and the bottom of the ring are whole rows.
                    left, right, step = max(left, 0), min(right, columns - 1), 1
                for column in range(left, right + 1, step):
                    if column < 0 or column >= columns:
                        continue
                    # The cell lies farther off than what was found; a hair for rounding.
                    off_x = max(column - gx, gx - column - 1, 0.0) * cell
                    off_y = max(row - gy, gy - row - 1, 0.0) * cell
                    if off_x * off_x + off_y * off_y > square_best:
                        continue
                    place = row * columns + column
                    for number in range(start[place], start[place + 1]):
                        here = np.int64(held[number])
                        own = np.int64(segments[here].line)
                        if not usable[own]:
                            continue
                        at = np.int64(segments[here].vertex)
                        ax, ay = segments[here].x, segments[here].y
                        dx, dy = segments[here].dx, segments[here].dy
                        square = dx * dx + dy * dy
                        cross = (px - ax) * dy - (py - ay) * dx
                        # So does the whole line that the segment lies on.
                        if cross * cross > square_best * square:
                            continue
                        t = ((px - ax) * dx + (py - ay) * dy) / square if square > 0 else 0.0
                        if t <= 0.0:
                            t = 0.0
                            away = np.sqrt((px - ax) ** 2 + (py - ay) ** 2)
                        elif t >= 1.0:
                            t = 1.0
                            away = np.sqrt((px - ax - dx) ** 2 + (py - ay - dy) ** 2)
                        else:
                            away = abs(cross) / np.sqrt(square)
                        if away < best or (
                            away == best and (own < which or (own == which and at < nearest_at))
                        ):
                            best, which, nearest_at, part = away, own, at, t
                            square_best = (best + _HAIR) * (best + _HAIR)
            ring += 1
        if which >= 0 and best <= limit:
            edge[point] = which
            access[point] = best
            share[point] = along[nearest_at] + part * (along[nearest_at + 1] - along[nearest_at])
