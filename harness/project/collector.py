"""What pytest collects in a drill: each scenario of the project's features, of whatever cadence, is one test."""

from pytest_bdd import scenarios

from harness import project
from harness.project.binding import bind

bind(project.current().sentences)
scenarios(str(project.current().features))
