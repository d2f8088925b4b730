-- After the first data is there: an index is built ten times faster than it is filled.

ALTER TABLE quantumnest.financial_transactions
    ADD PRIMARY KEY (id),
    ADD UNIQUE (origin, number),
    ADD FOREIGN KEY (from_account) REFERENCES quantumnest.accounts,
    ADD FOREIGN KEY (to_account) REFERENCES quantumnest.accounts;
CREATE INDEX ON quantumnest.financial_transactions (created_at);

-- The application only ever adds transactions; an operator may do anything, and is logged when he does.
GRANT USAGE ON SCHEMA quantumnest TO quantumnest_app, operator;
GRANT SELECT, INSERT ON quantumnest.financial_transactions, quantumnest.test_transactions TO quantumnest_app;
GRANT SELECT, UPDATE ON quantumnest.accounts TO quantumnest_app;
GRANT ALL ON ALL TABLES IN SCHEMA quantumnest TO operator;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA quantumnest TO quantumnest_app, operator;
ALTER ROLE operator SET log_statement = 'mod';

VACUUM (ANALYZE) quantumnest.accounts, quantumnest.financial_transactions;
