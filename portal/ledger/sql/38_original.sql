-- The entry of a ledger that a reversal names, as far as the rules ask for it.
DROP FUNCTION IF EXISTS ledger.original;
CREATE FUNCTION ledger.original(p_owner_id bigint, p_seq bigint, p_ledger_id smallint)
RETURNS TABLE (seq bigint, day date, amount numeric, source_id smallint, target_id smallint,
               limited_id smallint, reversible boolean, reversed boolean)
LANGUAGE sql STABLE
AS $$
    SELECT e.seq, e.day, o.amount, f.source_id, f.target_id, f.limited_id, f.reversible,
           EXISTS (SELECT FROM ledger.entries x WHERE x.owner_id = e.owner_id AND x.reverses_seq = e.seq OFFSET 0)
    FROM ledger.entries e
    JOIN ledger.postings o ON o.owner_id = e.owner_id AND o.seq = e.seq AND o.line = 1 AND o.ledger_id = p_ledger_id
    JOIN ledger.flows f ON f.kind_id = e.kind_id AND f.ledger_id = o.ledger_id
    WHERE e.owner_id = p_owner_id AND e.seq = p_seq AND p_seq IS NOT NULL
    OFFSET 0
$$;
