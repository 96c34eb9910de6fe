"""The views of the desk: a module each, named here in the order of their tabs.

A view is a subclass of `planner.desk.views.view.View`; to add one, write its module, give
it words below ``desk.tab`` in the catalogue, and name it in `VIEWS`.
"""

from planner.desk.views.coverage import CoverageView
from planner.desk.views.data import DataView
from planner.desk.views.plan import PlanView
from planner.desk.views.report import ReportView
from planner.desk.views.siting import SitingView
from planner.desk.views.view import View

VIEWS: tuple[type[View], ...] = (CoverageView, SitingView, PlanView, DataView, ReportView)
"""Views in the order of their tabs."""

__all__ = ["VIEWS", "CoverageView", "DataView", "PlanView", "ReportView", "SitingView", "View"]
