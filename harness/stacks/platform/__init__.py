"""The stand-in platform that the embedded and the container stacks run: a small ledger, and its API.

It stands for QuantumNest. The machine knows nothing of it; a drill's own code does.
"""
