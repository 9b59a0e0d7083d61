-- What a table outside the books says it converted in an hour is what the hour's postings sum up to.
WITH posted AS (
    SELECT ledger.hour_of(e.occurred_at) AS hour, count(*) FILTER (WHERE q.role = 'amount') AS users,
           sum(p.amount) FILTER (WHERE q.role = 'amount') AS tokens,
           sum(p.amount) FILTER (WHERE q.role = 'converted') AS usd,
           coalesce(sum(p.amount) FILTER (WHERE q.role = 'fee'), 0) AS fees
    FROM ledger.entries e
    JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
    JOIN ledger.pairs q ON q.kind_id = e.kind_id AND q.line = p.line
    WHERE e.kind_id = :conversion
    GROUP BY 1
), summed AS (
    SELECT p.*, p.tokens * h.rate - p.usd AS residue
    FROM posted p LEFT JOIN ledger.hour_rates h ON h.hour = p.hour
), declared AS (
    {declared}
)
SELECT 'run_total' AS name, NULL::bigint AS owner_id, NULL::bigint AS seq,
       format('{label} of hour %s: users %s, tokens %s, usd %s, fees %s, residue %s; the postings %s, %s, %s, %s, %s',
              hour, d.users, d.tokens, d.usd, d.fees, d.residue, s.users, s.tokens, s.usd, s.fees, s.residue) AS detail
FROM declared d FULL JOIN summed s USING (hour)
WHERE (d.hour IS NOT NULL OR {complete})
  AND (d.users, d.tokens, d.usd, d.fees, d.residue)
      IS DISTINCT FROM (coalesce(s.users, 0), coalesce(s.tokens, 0), coalesce(s.usd, 0), coalesce(s.fees, 0), coalesce(s.residue, 0))
