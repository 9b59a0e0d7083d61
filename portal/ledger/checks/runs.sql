-- What tables outside the books say they converted in an hour is what the hour's postings sum up to,
-- and no hour has conversions that they don't know of.
WITH posted AS (
    SELECT ledger.hour_of(e.occurred_at) AS hour, count(*) FILTER (WHERE q.role = 'amount') AS users,
           coalesce(sum(p.amount) FILTER (WHERE q.role = 'amount'), 0) AS tokens,
           coalesce(sum(p.amount) FILTER (WHERE q.role = 'converted'), 0) AS usd,
           coalesce(sum(p.amount) FILTER (WHERE q.role = 'fee'), 0) AS fees
    FROM ledger.entries e
    JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
    JOIN ledger.pairs q ON q.kind_id = e.kind_id AND q.line = p.line
    WHERE e.kind_id = :conversion
    GROUP BY 1
), summed AS MATERIALIZED (
    SELECT p.*, p.tokens * h.rate - p.usd AS residue
    FROM posted p LEFT JOIN ledger.hour_rates h ON h.hour = p.hour
), declared (label, hour, users, tokens, usd, fees, residue) AS (
    {declared}
)
SELECT 'run_total' AS name, NULL::bigint AS owner_id, NULL::bigint AS seq,
       format('%s of hour %s has users %s, tokens %s, usd %s, fees %s, residue %s; the postings %s, %s, %s, %s, %s',
              label, hour, d.users, d.tokens, d.usd, d.fees, d.residue,
              s.users, s.tokens, s.usd, s.fees, s.residue) AS detail
FROM declared d LEFT JOIN summed s USING (hour)
WHERE (d.users, d.tokens, d.usd, d.fees, d.residue)
      IS DISTINCT FROM (coalesce(s.users, 0), coalesce(s.tokens, 0), coalesce(s.usd, 0), coalesce(s.fees, 0),
                        CASE WHEN s.hour IS NULL THEN 0 ELSE s.residue END)
UNION ALL
SELECT 'run_total', NULL, NULL, format('%s users were converted for hour %s, and no run has it', s.users, s.hour)
FROM summed s WHERE NOT EXISTS (SELECT FROM declared d WHERE d.hour = s.hour)
