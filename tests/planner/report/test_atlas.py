from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from planner.maps import colours
from planner.report.atlas import Atlas
from planner.report.chart import draw_chart
from planner.report.model import Map
from tests.planner.report.conftest import WHEN


def pixels(content):
    with Image.open(BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def share_of(picture, colour):
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return (np.abs(picture - wanted).max(axis=2) <= 6).mean()


@pytest.fixture(scope="module")
def atlas(nasty_city):
    return Atlas(nasty_city, made=WHEN)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_units_have_the_shade_of_their_rates(atlas, results, lang):
    for result in results:
        drawn = pixels(atlas.draw(Map(result=result, level="township"), lang))
        rates = result.by("township")["rate"]
        shades = {colours.rate_colour(rate) for rate in rates}
        for shade in (*colours.RATE_RAMP,):
            # The legend alone shows each; a unit shows far more of it.
            assert (share_of(drawn, shade) > 0.02) == (shade in shades), (result, shade)


def test_the_gap_is_drawn_where_there_is_one(atlas, results):
    for result in results:
        drawn = pixels(atlas.draw(Map(result=result, level="district", show="gap"), "zh"))
        warm = (drawn[..., 0] - drawn[..., 2] > 60).mean()
        assert (warm > 0.001) == (result.total()["gap"] > 0)


def test_pictures_are_of_the_width_of_a_page_at_200_dots_an_inch(atlas, results, report):
    content = atlas.draw(Map(result=results[0], level="district"), "zh")
    with Image.open(BytesIO(content)) as picture:
        assert picture.width == round(16 / 2.54 * 200) - 1
        assert round(picture.info["dpi"][0]) == 200
    charts = [block for block in report.blocks() if getattr(block, "key", "").endswith(".curve")]
    with Image.open(BytesIO(draw_chart(charts[0].content, "en"))) as picture:
        assert picture.width == round(16 / 2.54 * 200) - 1
