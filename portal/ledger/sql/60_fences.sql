-- What was booked stays: the second fence behind the rights of the app's role.

CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'ledger.% is never changed: correct by a new entry', TG_TABLE_NAME
        USING ERRCODE = 'DL010';
END $$;

CREATE OR REPLACE FUNCTION ledger.refuse_removal() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'rows of ledger.% are never removed', TG_TABLE_NAME USING ERRCODE = 'DL010';
END $$;

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['entries', 'postings', 'owner_zones', 'hour_rates', 'fee_rules', 'closed_hours', 'closed_totals', 'late_totals', 'fee_totals', 'closed_periods',
                                   'assets', 'ledgers', 'accounts', 'entry_kinds'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', v_table);
    END LOOP;
    FOREACH v_table IN ARRAY ARRAY['owners', 'account_balances', 'daily_balances', 'holds', 'payment_claims'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER stays BEFORE DELETE OR TRUNCATE ON ledger.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_removal()', v_table);
    END LOOP;
END $$;

-- Of a hold nothing changes but which entry ended it.
CREATE OR REPLACE TRIGGER immutable BEFORE UPDATE OF owner_id, seq, ledger_id, amount, expires_at ON ledger.holds
FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- The app's role reads everything and writes no table of the books: it calls these functions.
GRANT USAGE ON SCHEMA ledger TO dreamland_app;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO dreamland_app;
GRANT SELECT ON SEQUENCE ledger.clock_floor TO dreamland_app;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger TO dreamland_app;
