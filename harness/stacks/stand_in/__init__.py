"""The stand-in platform that the embedded and the container stacks run: a small ledger, and its API.

It stands for QuantumNest. The machine knows nothing of it; a drill's own code does.
"""

HOSTS = ("api.quantumnest.com", "app.quantumnest.com")  # the names that customers know
