-- A payment's reference is claimed before its top-up is posted, and counts once a provider: ledger.post
-- books a top-up only while its key has the claim.
-- One row a call, in a transaction of its own: no two calls can wait for each other in a circle.

-- Claims a payment for the entry that an owner's key will make. Answers false when it is another's,
-- NULL where there is no such owner.
-- Another's claim is void where its key made another entry, or none in a day: no call lasts as long,
-- and the same key sent again renews it. A reversed top-up keeps its claim.
CREATE OR REPLACE FUNCTION ledger.claim_payment(p_provider text, p_reference text, p_owner_id bigint, p_key uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
SET enable_seqscan = off   -- a plan made while the books were empty must serve when they are full
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM owners o WHERE o.owner_id = p_owner_id) THEN
        RETURN NULL;
    ELSIF EXISTS (SELECT FROM entries e WHERE e.owner_id = p_owner_id AND e.key_hash = p_key) THEN
        RETURN true;   -- the key made an entry: posting says what becomes of it, and nothing is claimed
    END IF;
    INSERT INTO payment_claims AS c (provider, reference, owner_id, key_hash, claimed_at)
    VALUES (p_provider, p_reference, p_owner_id, p_key, ledger.clock())
    ON CONFLICT (provider, reference) DO UPDATE
        SET owner_id = EXCLUDED.owner_id, key_hash = EXCLUDED.key_hash, claimed_at = EXCLUDED.claimed_at
        WHERE (c.owner_id, c.key_hash) = (EXCLUDED.owner_id, EXCLUDED.key_hash)
           OR NOT ledger.is_paid_by(c.owner_id, c.key_hash, c.provider, c.reference, c.claimed_at > EXCLUDED.claimed_at - interval '1 day');
    RETURN FOUND;
END $$;

-- Whether the entry that a key made is the top-up of that payment; p_unmade where it made none.
CREATE OR REPLACE FUNCTION ledger.is_paid_by(
    p_owner_id bigint, p_key uuid, p_provider text, p_reference text, p_unmade boolean) RETURNS boolean
LANGUAGE sql VOLATILE   -- sees what was committed while its caller waited
SET search_path = ledger, pg_temp
AS $$
    SELECT coalesce((SELECT e.reverses_seq IS NULL AND p.provider IS NOT DISTINCT FROM p_provider AND coalesce(e.reference, p_reference) = p_reference
                     FROM entries e
                     CROSS JOIN LATERAL (SELECT p.provider FROM postings p
                                         WHERE p.owner_id = e.owner_id AND p.seq = e.seq AND p.line = 1 OFFSET 0) p
                     WHERE e.owner_id = p_owner_id AND e.key_hash = p_key), p_unmade)
$$;
