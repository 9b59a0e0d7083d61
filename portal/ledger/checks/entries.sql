-- Entries are numbered without gaps, in the order they were booked, on the user's own day, on the
-- UTC date of booking, and carry the hashes of their key and request. The owner's head says what
-- the last of them says.
-- Zones are joined for all at once: the arithmetic of ledger.local_day, which looks up one.
WITH zone AS (
    SELECT owner_id, zone, from_at, lead(from_at, 1, 'infinity') OVER (PARTITION BY owner_id ORDER BY from_at) AS upto
    FROM ledger.owner_zones WHERE owner_id BETWEEN :first AND :last
), numbered AS (
    SELECT *, lag(seq, 1, 0::bigint) OVER numbers AS seq_before, lag(booked_at) OVER numbers AS booked_before,
           lead(seq) OVER numbers IS NULL AS is_last
    FROM ledger.entries WHERE owner_id BETWEEN :first AND :last
    WINDOW numbers AS (PARTITION BY owner_id ORDER BY seq)
), judged AS (
    SELECT coalesce(e.owner_id, o.owner_id) AS owner_id, e.seq, e.occurred_at, e.booked_at, e.day, e.accounting_date,
           e.seq_before, e.booked_before, o.last_seq, o.last_booked_at,
           (e.occurred_at AT TIME ZONE z.zone)::date AS local_day,
           e.seq <> e.seq_before + 1 AS gap,
           e.booked_at < e.booked_before AS backwards,
           e.day <> (e.occurred_at AT TIME ZONE z.zone)::date OR e.seq IS NOT NULL AND z.zone IS NULL AS other_day,
           e.occurred_at <> e.booked_at AND e.kind_id <> ALL (:dated) AS other_moment,
           e.accounting_date <> (e.booked_at AT TIME ZONE 'UTC')::date AS other_date,
           e.seq IS NOT NULL AND e.key_hash IS NULL AS no_key,
           e.seq IS NOT NULL AND octet_length(e.request_hash) IS DISTINCT FROM 32 AS no_request,
           coalesce(e.is_last, true)
               AND (o.last_seq IS DISTINCT FROM coalesce(e.seq, 0)
                    OR o.last_booked_at IS DISTINCT FROM coalesce(e.booked_at, '-infinity')) AS other_head
    FROM numbered e
    LEFT JOIN zone z ON z.owner_id = e.owner_id AND e.occurred_at >= z.from_at AND e.occurred_at < z.upto
    FULL JOIN (SELECT * FROM ledger.owners WHERE owner_id BETWEEN :first AND :last) o ON o.owner_id = e.owner_id
)
SELECT found.name, j.owner_id, j.seq, found.detail
FROM judged j
CROSS JOIN LATERAL (VALUES
    ('seq', gap, format('follows %s', seq_before)),
    ('booked_at', backwards, format('booked at %s, before entry %s at %s', booked_at, seq_before, booked_before)),
    ('day', other_day, format('day %s, the user''s was %s', day, local_day)),
    ('occurred_at', other_moment, format('occurred at %s, booked at %s', occurred_at, booked_at)),
    ('accounting_date', other_date, format('accounting date %s, booked at %s', accounting_date, booked_at)),
    ('hash', no_key, 'no hash of its idempotency key'),
    ('hash', no_request, 'no hash of its request'),
    ('head', other_head, format('the last entry, at %s; the head has %s at %s', booked_at, last_seq, last_booked_at))
) AS found (name, wrong, detail)
WHERE (gap OR backwards OR other_day OR other_moment OR other_date OR no_key OR no_request OR other_head) AND found.wrong
