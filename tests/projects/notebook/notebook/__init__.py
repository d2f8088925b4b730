"""The notebook, as its drills see it."""
