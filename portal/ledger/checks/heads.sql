-- The head of an owner's numbering says what the last entry says.
SELECT 'head' AS name, owner_id, e.seq,
       format('owners has %s at %s, the last entry is %s at %s',
              o.last_seq, o.last_booked_at, coalesce(e.seq, 0), e.booked_at) AS detail
FROM (SELECT * FROM ledger.owners WHERE owner_id BETWEEN :first AND :last) o
FULL JOIN (
    SELECT owner_id, max(seq) AS seq, max(booked_at) AS booked_at
    FROM ledger.entries WHERE owner_id BETWEEN :first AND :last GROUP BY owner_id) e USING (owner_id)
WHERE o.last_seq IS DISTINCT FROM coalesce(e.seq, 0)
   OR o.last_booked_at IS DISTINCT FROM coalesce(e.booked_at, '-infinity')
