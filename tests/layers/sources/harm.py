"""What may befall a file, and how many damaged ones are tried."""

import io
import os
import zipfile

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FILES = int(os.environ.get("PLANNER_FUZZ", "2200"))
"""How many tables and files of geometry are tried; set PLANNER_FUZZ for a longer run."""

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
_BYTES = st.integers(0, 255)


def share(of):
    """Settings for a part of the files."""
    return settings(max_examples=max(1, round(FILES * of)), suppress_health_check=_CHECKS)


def zipped(files):
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return to.getvalue()


@st.composite
def harm(draw):
    """Something that befalls a file: bytes changed, cut out, put in, cut off, repeated."""
    kind = draw(st.sampled_from(["flip", "flip", "flip", "cut", "off", "put", "twice", "zero"]))
    at, to = draw(st.floats(0, 1)), draw(st.floats(0, 1))
    some = draw(st.lists(st.tuples(st.floats(0, 1), _BYTES), min_size=1, max_size=12))
    put = draw(st.binary(max_size=40))

    def befall(content):
        size = len(content)
        first, last = sorted((round(at * size), round(to * size)))
        made = bytearray(content)
        if kind == "flip":
            for share_of, byte in some:
                if size:
                    made[min(size - 1, int(share_of * size))] = byte
        elif kind == "cut":
            del made[first : first + 30]
        elif kind == "off":
            del made[last:]
        elif kind == "put":
            made[first:first] = put
        elif kind == "twice":
            made[first:first] = made[first:last]
        else:
            made[first : first + 20] = bytes(len(made[first : first + 20]))
        return bytes(made)

    return befall
