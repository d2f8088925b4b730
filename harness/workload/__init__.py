"""Customers and their ledger: load that is due at fixed times, whatever the platform does meanwhile.

`workload` begins and ends the customers of a scenario; `customers` is the process of one group of them; `ledger` writes
and reads what was due, sent and answered; `tail` follows ledgers while they grow.
"""
