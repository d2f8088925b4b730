-- The platform's schema. `accounts` obeys one rule at every commit: balance = opening + received - paid, so that the
-- sum of all balances never changes. Indexes and keys follow in indexes.sql, after the first data.

CREATE SCHEMA quantumnest;
ALTER DATABASE quantumnest_prod SET search_path = quantumnest, public;
CREATE EXTENSION amcheck;
CREATE EXTENSION pageinspect;
CREATE EXTENSION pg_buffercache;
CREATE EXTENSION pg_prewarm;

CREATE TABLE quantumnest.accounts (
    id       bigint PRIMARY KEY,
    opening  numeric(18,2) NOT NULL,
    balance  numeric(18,2) NOT NULL
) WITH (fillfactor = 70);  -- a balance changes in place

CREATE TABLE quantumnest.financial_transactions (
    id            bigserial,
    origin        text NOT NULL,
    number        bigint NOT NULL,
    from_account  bigint NOT NULL,
    to_account    bigint NOT NULL,
    amount        numeric(18,2) NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE quantumnest.test_transactions (
    id          uuid PRIMARY KEY,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
