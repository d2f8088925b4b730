"""Every drill: each scenario of features/<cadence>/ is one test, whatever its cadence is."""

from pytest_bdd import scenarios

from drills import FEATURES
from drills.steps import load
from harness.features.binding import bind

bind(load())
scenarios(str(FEATURES))
