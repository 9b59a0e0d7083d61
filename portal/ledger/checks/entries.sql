-- Entries are numbered without gaps, in the order they were booked, on the user's own day, on the
-- UTC date of booking, and carry the hashes of their key and request.
-- Zones are joined for all at once: the arithmetic of ledger.local_day, which looks up one.
WITH zone AS (
    SELECT owner_id, zone, from_at, lead(from_at, 1, 'infinity') OVER (PARTITION BY owner_id ORDER BY from_at) AS upto
    FROM ledger.owner_zones WHERE owner_id BETWEEN :first AND :last
), entry AS (
    SELECT e.owner_id, e.seq, e.booked_at, e.day, e.accounting_date,
           (e.occurred_at AT TIME ZONE z.zone)::date AS local_day,
           lag(e.seq, 1, 0::bigint) OVER numbered AS seq_before,
           lag(e.booked_at) OVER numbered AS booked_before,
           e.key_hash IS NULL AS no_key,
           octet_length(e.request_hash) IS DISTINCT FROM 32 AS no_request
    FROM ledger.entries e
    LEFT JOIN zone z ON z.owner_id = e.owner_id AND e.occurred_at >= z.from_at AND e.occurred_at < z.upto
    WHERE e.owner_id BETWEEN :first AND :last
    WINDOW numbered AS (PARTITION BY e.owner_id ORDER BY e.seq)
), judged AS (
    SELECT *, seq <> seq_before + 1 AS gap,
           booked_at < booked_before AS backwards,
           day IS DISTINCT FROM local_day AS other_day,
           accounting_date IS DISTINCT FROM (booked_at AT TIME ZONE 'UTC')::date AS other_date
    FROM entry
)
SELECT found.name, j.owner_id, j.seq, found.detail
FROM judged j
CROSS JOIN LATERAL (VALUES
    ('seq', gap, format('follows %s', seq_before)),
    ('booked_at', backwards, format('booked at %s, before entry %s at %s', booked_at, seq_before, booked_before)),
    ('day', other_day, format('day %s, the user''s was %s', day, local_day)),
    ('accounting_date', other_date, format('accounting date %s, booked at %s', accounting_date, booked_at)),
    ('hash', no_key, 'no hash of its idempotency key'),
    ('hash', no_request, 'no hash of its request')
) AS found (name, wrong, detail)
WHERE (gap OR backwards OR other_day OR other_date OR no_key OR no_request) AND found.wrong
