"""The stack file: `read.load` gives it as plain values, or one error that names every problem."""
