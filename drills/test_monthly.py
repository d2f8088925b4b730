"""The monthly drills: each scenario of features/monthly is one test."""

from pytest_bdd import scenarios

from drills import FEATURES

scenarios(str(FEATURES / "monthly"))
