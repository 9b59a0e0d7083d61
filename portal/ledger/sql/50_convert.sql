-- Conversion of closed hours: the rate of an hour, and the entries of a range of owners.

-- Stores the one rate of an hour. Answers false, and changes nothing, when there is one already.
CREATE OR REPLACE FUNCTION ledger.store_rate(
    p_hour timestamptz, p_rate numeric, p_source text, p_source_time timestamptz, p_payload_hash bytea, p_reason text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
BEGIN
    INSERT INTO hour_rates (hour, rate, source, source_time, payload_hash, reason, stored_at)
    VALUES (p_hour, p_rate, p_source, p_source_time, p_payload_hash, p_reason, ledger.clock())
    ON CONFLICT (hour) DO NOTHING;
    RETURN FOUND;
END $$;

-- Converts, for every owner in (p_after, p_upto], all tokens held except what was booked after the
-- hour. The amount is computed under the owner's lock and posted in the same transaction, so
-- nothing can come between. What would round to zero USD stays as tokens. Run again, it finds the
-- entries it made and adds none: the answer sums what this call posted.
DROP FUNCTION IF EXISTS ledger.convert;
CREATE FUNCTION ledger.convert(p_hour timestamptz, p_after bigint, p_upto bigint)
RETURNS TABLE (users bigint, tokens numeric, usd numeric, fees numeric, residue numeric)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_end     timestamptz := p_hour + interval '1 hour';
    v_name    text := to_char(p_hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
    v_key     uuid := encode(substr(sha256(convert_to('0:conversion:' || v_name, 'UTF8')), 1, 16), 'hex')::uuid;
    v_rate    numeric := (SELECT rate FROM hour_rates WHERE hour = p_hour);
    v_tokens  smallint := (SELECT a.id FROM accounts a JOIN ledgers g ON g.id = a.ledger_id
                           WHERE g.code = 'DREAM' AND a.code = 'TOKENS_INVENTORY');
    v_ledger  smallint := (SELECT id FROM ledgers WHERE code = 'DREAM');
    v_kind    smallint := (SELECT id FROM entry_kinds WHERE code = 'conversion');
    v_owners  bigint[];
    v_amounts numeric[];
    v_hashes  bytea[];
    v_posted  bigint[];
    v_n       integer;
BEGIN
    IF v_rate IS NULL THEN
        RAISE EXCEPTION 'hour % has no rate', v_name USING ERRCODE = 'DL007';
    END IF;
    v_owners := ARRAY(SELECT a.owner_id FROM account_balances a
                      WHERE a.owner_id > p_after AND a.owner_id <= p_upto AND a.account_id = v_tokens
                        AND a.debits > a.credits
                      ORDER BY a.owner_id);
    PERFORM FROM owners o WHERE o.owner_id = ANY (v_owners) ORDER BY o.owner_id FOR NO KEY UPDATE;

    SELECT array_agg(h.owner_id), array_agg(h.amount), count(*),
           array_agg(sha256(convert_to(format('[1,"conversion",%s,"%s"]', h.owner_id, v_name), 'UTF8')))
    INTO v_owners, v_amounts, v_n, v_hashes
    FROM (SELECT u.owner_id, a.debits - a.credits - coalesce(after.amount, 0) AS amount
          FROM unnest(v_owners) u (owner_id)
          CROSS JOIN LATERAL (SELECT * FROM account_balances a
                              WHERE a.owner_id = u.owner_id AND a.account_id = v_tokens OFFSET 0) a
          CROSS JOIN LATERAL (SELECT sum(p.amount) AS amount FROM postings p
                              WHERE p.owner_id = u.owner_id AND p.ledger_id = v_ledger AND p.ledger_id <> 3
                                AND p.booked_at >= v_end AND p.debit_account_id = v_tokens
                                AND NOT EXISTS (SELECT FROM entries x WHERE x.owner_id = p.owner_id AND x.reverses_seq = p.seq OFFSET 0)
                              OFFSET 0) after
          WHERE NOT EXISTS (SELECT FROM entries e WHERE e.owner_id = u.owner_id AND e.key_hash = v_key OFFSET 0)) h
    WHERE trunc(h.amount * v_rate) > 0;

    IF v_n = 0 THEN
        RETURN QUERY SELECT 0::bigint, 0::numeric, 0::numeric, 0::numeric, 0::numeric;
        RETURN;
    END IF;
    v_posted := ARRAY(
        SELECT u.seq
        FROM ROWS FROM (
            unnest(v_owners),
            post(v_owners, array_fill(v_kind, ARRAY[v_n]), array_fill(v_ledger, ARRAY[v_n]),
                 array_fill(0::bigint, ARRAY[v_n]), array_fill(v_key, ARRAY[v_n]), v_hashes, v_amounts,
                 array_fill(v_end - interval '1 microsecond', ARRAY[v_n]),
                 p_reference => array_fill(v_name, ARRAY[v_n]), p_rate => v_rate)
        ) WITH ORDINALITY AS u (owner_id, status, code, seq, booked_at, day, day_limit, used, balance, held, n)
        ORDER BY u.n);

    -- The sums are read back from the postings, which the statement that made them can't see.
    RETURN QUERY
    SELECT s.users, s.tokens, s.usd, s.fees, s.tokens * v_rate - s.usd
    FROM (SELECT count(*) FILTER (WHERE p.line = 1) AS users,
                 coalesce(sum(p.amount) FILTER (WHERE p.line = 1), 0) AS tokens,
                 coalesce(sum(p.amount) FILTER (WHERE p.line = 2), 0) AS usd,
                 coalesce(sum(p.amount) FILTER (WHERE p.line = 3), 0) AS fees
          FROM unnest(v_owners, v_posted) u (owner_id, seq)
          CROSS JOIN LATERAL (SELECT p.line, p.amount FROM postings p
                              WHERE p.owner_id = u.owner_id AND p.seq = u.seq OFFSET 0) p) s;
END $$;
