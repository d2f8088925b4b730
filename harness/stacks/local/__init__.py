"""The embedded stack: the whole platform on one machine, as ordinary processes, from wheels."""
