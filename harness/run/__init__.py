"""One run: its journal, its stack, its scenarios one after another, and the code that it is of."""
