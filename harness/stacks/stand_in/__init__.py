"""The stand-in platform that the embedded and the container stacks run: a small ledger, and its API.

It stands for QuantumNest. The machine knows nothing of it; a drill's own code does.
"""

HOSTS = ("api.quantumnest.com", "app.quantumnest.com")  # the names that customers know
NAME = "quantumnest"  # of its database cluster, also in the backups
DATABASE = "quantumnest_prod"
ROLE = "quantumnest_app"  # as which the API comes to the database
BUCKET = "quantumnest-backups-prod"

# What its API is asked
HEALTH = "/health"  # does it live?
READY = "/ready"  # can it do its work?
TRIAL = "/test/transaction"  # stores one that moves nothing; by its id it is read back

# What an answer says that the API itself did not give
NOT_STORED = {"stored": False}  # no request came to it
IN_DOUBT = {"stored": None}  # a request came to it, and no answer from it
