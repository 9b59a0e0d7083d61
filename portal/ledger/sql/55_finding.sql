-- Entries by a client's key or a reference, whoever they are of, at most p_limit for each. Stable.
--
-- The owner is not known, so no other index helps: these two know of each range of pages what may be in it.
-- The planner takes them for worthless where values are random, and would read all entries instead.
CREATE OR REPLACE FUNCTION ledger.find_entries(p_keys uuid[], p_reference text, p_limit int)
RETURNS TABLE (found_by text, owner_id bigint, seq bigint)
LANGUAGE plpgsql STABLE ROWS 40
SET search_path = ledger, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    v_keys CONSTANT bytea[] := ARRAY(SELECT uuid_send(k) FROM unnest(p_keys) k);
BEGIN
    RETURN QUERY SELECT 'key', e.owner_id, e.seq FROM entries e
                 WHERE uuid_send(e.key_hash) = ANY (v_keys) LIMIT p_limit;
    RETURN QUERY SELECT 'reference', e.owner_id, e.seq FROM entries e WHERE e.reference = p_reference LIMIT p_limit;
END $$;
