"""The desk as an application.

Either ``python app.py`` or::

    panel serve app.py --static-dirs $(python -m planner.maps) --plugins planner.desk.routes

The city is the folder named by ``PLANNER_CITY``, else the modelled Hangzhou.
"""

import os

import panel as pn

from layers import City
from planner.desk import page, serve
from planner.desk.routes import share
from planner.desk.study import Study
from planner.maps.basemaps import offered


def chosen_city() -> City:
    """City that the environment names, else the one that the program carries."""
    folder = os.environ.get("PLANNER_CITY")
    if folder:
        return City.open(folder)
    from layers import embedded  # noqa: PLC0415 - builds a city when first used

    return embedded()


def shared_study() -> Study:
    """Open what all sessions share, once."""
    return pn.state.as_cached("study", lambda: share(Study(chosen_city(), basemaps=offered())))


if __name__ == "__main__":
    serve(chosen_city(), port=int(os.environ.get("PORT", "5006")), show=True)
elif __name__.startswith("bokeh_app"):
    page(shared_study()).servable()
