"""The compiled kernels that draw tiles: lines with smooth edges, and nothing else."""

import numpy as np

from planner._compiled import compiled

# Of a tile's planes: how much of each pixel is covered, and the distance there.
_NO_WAY = 65_535.0
_SPECK = 0.7


@compiled
def draw(
    planes, x, y, along, first, box, block, size, chosen, half, near_u, near_v, up, down, touched
):
    """Draw lines into a tile, later ones over earlier ones.

    Parameters
    ----------
    planes
        Two by rows by columns, 32-bit: covered part and number of the distance, which
        must be nought; filled.
    x, y
        Vertices of all lines in parts of the world, from its north-west corner.
    along
        Metres of each vertex along its line.
    first
        Vertex at which each line begins, one more than there are lines.
    box
        West, north, east, south of each line.
    block
        The same of each run of `size` lines.
    size
        Lines in a block.
    chosen
        West, north, east, south of the tile.
    half
        Half the width in pixels of each rank, after the rank of each line.
    near_u, near_v
        Distance from where each line begins and ends, in steps; inf for no way over it.
    up, down
        Steps a metre going up from the beginning, and down from the end.
    touched
        Scratch: rows by columns by four, 32-bit.
    """
    rank, width = half
    rows, columns = planes.shape[1], planes.shape[2]
    west, north, east, south = chosen
    scale = columns / (east - west)
    edge = width.max() + 1.0
    spare = edge / scale
    for number in range(len(block)):
        if (
            block[number, 0] > east + spare
            or block[number, 2] < west - spare
            or block[number, 1] > south + spare
            or block[number, 3] < north - spare
        ):
            continue
        for line in range(number * size, min((number + 1) * size, len(first) - 1)):
            if (
                box[line, 0] > east + spare
                or box[line, 2] < west - spare
                or box[line, 1] > south + spare
                or box[line, 3] < north - spare
                or width[rank[line]] <= 0.0
            ):
                continue
            begin, end = first[line], first[line + 1]
            wide = (box[line, 2] - box[line, 0]) * scale
            high = (box[line, 3] - box[line, 1]) * scale
            if max(wide, high) < _SPECK:
                _speck(
                    planes,
                    int(((box[line, 0] + box[line, 2]) / 2 - west) * scale),
                    int(((box[line, 1] + box[line, 3]) / 2 - north) * scale),
                    min(1.0, np.sqrt(wide * wide + high * high) * 2.0 * width[rank[line]]),
                    min(
                        near_u[line] + along[end - 1] * 0.5 * up[line],
                        near_v[line] + along[end - 1] * 0.5 * down[line],
                    ),
                )
                continue
            for vertex in range(begin, end - 1):
                _segment(
                    planes,
                    touched,
                    np.float32(line + 1),
                    (x[vertex] - west) * scale,
                    (y[vertex] - north) * scale,
                    (x[vertex + 1] - west) * scale,
                    (y[vertex + 1] - north) * scale,
                    along[vertex],
                    along[vertex + 1],
                    along[end - 1],
                    width[rank[line]],
                    near_u[line],
                    near_v[line],
                    up[line],
                    down[line],
                    rows,
                    columns,
                )


@compiled
def _speck(planes, column, row, cover, far):
    """Draw a line that is smaller than a pixel: its area, in the pixel that it lies in."""
    if 0 <= row < planes.shape[1] and 0 <= column < planes.shape[2]:
        _blend(planes, row, column, cover, far, planes[0, row, column], planes[1, row, column])


@compiled
def _blend(planes, row, column, cover, far, under, before):
    """Lay a distance over what a pixel holds."""
    whole = cover + under * (1.0 - cover)
    planes[0, row, column] = whole
    if under == 0.0:
        planes[1, row, column] = min(far, _NO_WAY)
    elif far >= _NO_WAY or before >= _NO_WAY:
        # There is no mean with what has no way: the larger part decides.
        planes[1, row, column] = min(far, _NO_WAY) if 2.0 * cover >= whole else before
    else:
        planes[1, row, column] = (far * cover + before * under * (1.0 - cover)) / whole


@compiled
def _segment(
    planes,
    touched,
    line,
    ax,
    ay,
    bx,
    by,
    sa,
    sb,
    length,
    half,
    near_u,
    near_v,
    up,
    down,
    rows,
    columns,
):
    """Draw one segment of a line: every pixel within half the width, its rim in part."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    # Thinner than a pixel is as wide as one, and fainter.
    faint = min(1.0, 2.0 * half)
    wide = max(half, 0.5)
    steep = abs(dy) > abs(dx)
    if steep:
        low, high = min(ay, by), max(ay, by)
        slope = dx / dy
    else:
        low, high = min(ax, bx), max(ax, bx)
        slope = dy / dx if dx != 0.0 else 0.0
    span = (wide + 0.5) * np.sqrt(1.0 + slope * slope)
    most = rows if steep else columns
    across = columns if steep else rows
    for major in range(max(0, int(low - wide - 0.5)), min(most - 1, int(high + wide + 0.5)) + 1):
        at = major + 0.5
        if steep:
            middle = ax + slope * (min(max(at, low), high) - ay)
        else:
            middle = ay + slope * (min(max(at, low), high) - ax)
        for minor in range(max(0, int(middle - span)), min(across - 1, int(middle + span)) + 1):
            px, py = (minor + 0.5, at) if steep else (at, minor + 0.5)
            part = 0.0
            if square > 0.0:
                part = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
            ox, oy = px - ax - part * dx, py - ay - part * dy
            cover = wide + 0.5 - np.sqrt(ox * ox + oy * oy)
            if cover <= 0.0:
                continue
            cover = min(1.0, cover) * faint
            row, column = (major, minor) if steep else (minor, major)
            # A line covers a pixel once, however many of its segments come by.
            if touched[row, column, 0] != line:
                touched[row, column, 0] = line
                touched[row, column, 1] = 0.0
                touched[row, column, 2] = planes[0, row, column]
                touched[row, column, 3] = planes[1, row, column]
            if cover <= touched[row, column, 1]:
                continue
            touched[row, column, 1] = cover
            place = sa + part * (sb - sa)
            far = min(near_u + place * up, near_v + (length - place) * down)
            _blend(
                planes, row, column, cover, far, touched[row, column, 2], touched[row, column, 3]
            )


@compiled
def lengthen(x, y, first, length, along):
    """Fill in the metres of each vertex along its line, from the line's own length."""
    for line in range(len(first) - 1):
        begin, end = first[line], first[line + 1]
        along[begin] = 0.0
        for vertex in range(begin + 1, end):
            dx, dy = x[vertex] - x[vertex - 1], y[vertex] - y[vertex - 1]
            along[vertex] = along[vertex - 1] + np.sqrt(dx * dx + dy * dy)
        whole = along[end - 1]
        for vertex in range(begin, end):
            along[vertex] *= length[line] / whole if whole > 0.0 else 0.0
