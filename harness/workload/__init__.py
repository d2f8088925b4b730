"""Customers and their ledger: load that is due at fixed times, whatever the platform does meanwhile.

`ledger` writes and reads what was due, sent and answered; `customers` is the process of one zone's customers;
`workload` begins and ends them for a scenario; `tail` follows their ledgers while they grow.
"""
