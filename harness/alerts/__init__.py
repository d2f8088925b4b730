"""Detection, taken from the platform's own monitoring: the receiver of its alerts, and a small monitoring of our own.

Any monitoring can report: Alertmanager by its webhook, others by plain JSON. Nothing here knows which platform it is.
"""

# What always fires, sent again and again: while it comes in, any other alert would come in too.
WATCHDOG = "Watchdog"
