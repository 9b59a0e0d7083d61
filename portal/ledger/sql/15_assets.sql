-- Closed-loop assets are data: a new one gets a ledger with the accounts, pairs and rules that every
-- credit has, copied from the first (whose rows the chart in code wrote).

-- Adds a credit. Answers false when it is there already, with this name and scale; never changes one.
CREATE OR REPLACE FUNCTION ledger.add_asset(p_code text, p_name text, p_scale integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_model  smallint;
    v_ledger smallint;
BEGIN
    LOCK TABLE assets IN SHARE ROW EXCLUSIVE MODE;   -- one at a time: numbers are given here
    IF EXISTS (SELECT FROM assets WHERE (code, name, scale, kind) = (p_code, p_name, p_scale, 'credit')) THEN
        RETURN false;
    ELSIF EXISTS (SELECT FROM assets WHERE code = p_code) OR EXISTS (SELECT FROM ledgers WHERE code = p_code) THEN
        RAISE EXCEPTION 'the code % is taken: an asset''s name, scale and kind never change', p_code USING ERRCODE = 'DL013';
    ELSIF (p_code ~ '^[A-Z][A-Z0-9_]{0,31}$' AND length(p_name) BETWEEN 1 AND 100 AND p_name !~ '[[:cntrl:]]' AND btrim(p_name) = p_name AND p_scale BETWEEN 0 AND 30) IS NOT TRUE THEN
        RAISE EXCEPTION 'an asset has a code like GOLD_COIN, a name of 1 to 100 characters in one line, and 0 to 30 decimals'
            USING ERRCODE = 'DL013';
    END IF;
    v_model := (SELECT min(g.id) FROM ledgers g JOIN assets a ON a.code = g.asset WHERE a.kind = 'credit');
    v_ledger := (SELECT max(id) + 1 FROM ledgers);
    INSERT INTO assets (code, name, scale, kind) VALUES (p_code, p_name, p_scale, 'credit');
    INSERT INTO ledgers (id, code, asset) VALUES (v_ledger, p_code, p_code);
    INSERT INTO accounts (id, ledger_id, code, type, scope, sign, never_negative, day_limit)
    SELECT (SELECT max(id) FROM accounts) + row_number() OVER (ORDER BY a.id), v_ledger, a.code, a.type, a.scope, a.sign,
           a.never_negative, a.day_limit
    FROM accounts a WHERE a.ledger_id = v_model;
    INSERT INTO flows (kind_id, ledger_id, source_id, target_id, limited_id, day_limit, reversible, available_id, held_id, hold, names_provider)
    SELECT f.kind_id, v_ledger, account_like(f.source_id, v_ledger), account_like(f.target_id, v_ledger),
           account_like(f.limited_id, v_ledger), f.day_limit, f.reversible, account_like(f.available_id, v_ledger),
           account_like(f.held_id, v_ledger), f.hold, f.names_provider
    FROM flows f WHERE f.ledger_id = v_model;
    INSERT INTO pairs (kind_id, ledger_id, line, posting_ledger_id, debit_account_id, credit_account_id, role,
                       debit_sign, credit_sign, counts, wallet)
    SELECT q.kind_id, v_ledger, q.line, v_ledger, account_like(q.debit_account_id, v_ledger),
           account_like(q.credit_account_id, v_ledger), q.role, q.debit_sign, q.credit_sign, q.counts, q.wallet
    FROM pairs q WHERE q.ledger_id = v_model;
    RETURN true;
END $$;

-- The account of a ledger that has the code of another ledger's account.
CREATE OR REPLACE FUNCTION ledger.account_like(p_account_id smallint, p_ledger_id smallint) RETURNS smallint
LANGUAGE sql STABLE
SET search_path = ledger, pg_temp
AS $$
    SELECT mine.id FROM accounts mine JOIN accounts model ON model.code = mine.code
    WHERE model.id = p_account_id AND mine.ledger_id = p_ledger_id
$$;
