"""The platform's first data: accounts, and the transactions of the last days, made inside the database in one go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

ACCOUNTS = 10_000
TRANSACTIONS = 200_000
SPAN = timedelta(days=3)
HERE = Path(__file__).parent

# Figures spread by a multiplicative hash of the number: the same data in every run, without a random generator.
_TRANSACTIONS = """
INSERT INTO quantumnest.financial_transactions (origin, number, from_account, to_account, amount, created_at)
SELECT 'history', n, payer, 1 + (payer + hop) %% %(accounts)s, cents / 100.0,
       clock_timestamp() - %(span)s * (1 - (n - 0.5) / %(transactions)s)
FROM generate_series(1::bigint, %(transactions)s) AS n,
     LATERAL (SELECT 1 + n * 2654435761 %% %(accounts)s AS payer,
                     n * 40503 %% (%(accounts)s - 1) AS hop,
                     100 + n * 7919 %% 49900 AS cents) AS spread
ORDER BY n
"""
_ACCOUNTS = """
INSERT INTO quantumnest.accounts (id, opening, balance)
SELECT id, 100000, 100000 + coalesce(change, 0)
FROM generate_series(1::bigint, %(accounts)s) AS id
LEFT JOIN (
    SELECT account, sum(change) AS change
    FROM (SELECT to_account AS account, amount AS change FROM quantumnest.financial_transactions
          UNION ALL
          SELECT from_account, -amount FROM quantumnest.financial_transactions) AS movements
    GROUP BY account) AS sums ON account = id
ORDER BY id
"""


def load(connection: psycopg.Connection[Any], *, passwords: Mapping[str, str], transactions: int) -> None:
    """Make the roles, the schema and the data in an empty database. `connection`: a superuser's, autocommit."""
    for role, password in passwords.items():
        if role != "postgres":
            attributes = sql.SQL("REPLICATION") if role == "replicator" else sql.SQL("")
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.Identifier(role), attributes, sql.Literal(password)
                )
            )
    connection.execute((HERE / "schema.sql").read_bytes())
    figures = {"accounts": ACCOUNTS, "transactions": transactions, "span": SPAN}
    connection.execute(_TRANSACTIONS, figures)
    connection.execute(_ACCOUNTS, figures)
    for statement in (HERE / "indexes.sql").read_text().split(";\n"):
        if statement.strip():
            connection.execute(statement.encode())
