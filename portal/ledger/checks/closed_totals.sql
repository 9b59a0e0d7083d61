-- Closed hours follow each other, and all that is kept of them is the sum of what was booked in them.
WITH moved AS MATERIALIZED (
    SELECT date_bin('1 hour', booked_at, 'epoch') AS hour, debit_account_id, credit_account_id,
           CASE WHEN ledger_id = 3 THEN coalesce(provider, '') END AS provider,   -- NULL: no fee
           CASE WHEN ledger_id = 3 THEN owner_id >> 48 END AS region, count(*) AS postings, sum(amount) AS amount
    FROM ledger.postings
    WHERE booked_at < (SELECT max(hour) + interval '1 hour' FROM ledger.closed_hours)
    GROUP BY 1, 2, 3, 4, 5
), side AS (
    SELECT hour, debit_account_id AS account_id, amount AS debit, 0 AS credit FROM moved
    UNION ALL
    SELECT hour, credit_account_id, 0, amount FROM moved
), total AS (
    SELECT hour, account_id, sum(sum(debit)) OVER so_far AS debits, sum(sum(credit)) OVER so_far AS credits
    FROM side GROUP BY hour, account_id
    WINDOW so_far AS (PARTITION BY account_id ORDER BY hour)
), closed AS (
    SELECT hour, lag(hour) OVER (ORDER BY hour) AS before FROM ledger.closed_hours
), fee AS (   -- by game they can't be proven for ever: an entry may have to forget its game
    SELECT hour, debit_account_id, credit_account_id, provider, region, sum(entries) AS entries, sum(amount) AS amount
    FROM ledger.fee_totals GROUP BY 1, 2, 3, 4, 5
), late AS (
    SELECT date_bin('1 hour', e.booked_at, 'epoch') AS hour, s.account_id, e.accounting_date, sum(s.debit) AS debits, sum(s.credit) AS credits
    FROM ledger.entries e
    JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
    CROSS JOIN LATERAL (VALUES (p.debit_account_id, p.amount, 0::numeric), (p.credit_account_id, 0, p.amount))
        s (account_id, debit, credit)
    WHERE e.accounting_date < (e.booked_at AT TIME ZONE 'UTC')::date
      AND e.booked_at < (SELECT max(hour) + interval '1 hour' FROM ledger.closed_hours)
    GROUP BY 1, 2, 3
)
SELECT 'closed_total' AS name, NULL::bigint AS owner_id, NULL::bigint AS seq,
       format('account %s up to hour %s has debits %s, credits %s; the postings %s, %s',
              account_id, hour, c.debits, c.credits, t.debits, t.credits) AS detail
FROM total t FULL JOIN ledger.closed_totals c USING (hour, account_id)
WHERE (t.debits, t.credits) IS DISTINCT FROM (c.debits, c.credits)
UNION ALL
SELECT 'fee_total', NULL, NULL,
       format('hour %s, debit %s, credit %s, provider %s, region %s: %s of %s entries; the postings %s of %s',
              hour, debit_account_id, credit_account_id, provider, region, f.amount, f.entries, m.amount, m.postings)
FROM (SELECT * FROM moved WHERE provider IS NOT NULL) m
FULL JOIN fee f USING (hour, debit_account_id, credit_account_id, provider, region)
WHERE (m.amount, m.postings) IS DISTINCT FROM (f.amount, f.entries)
UNION ALL
SELECT 'late_total', NULL, NULL,
       format('account %s in hour %s for %s has debits %s, credits %s; the postings %s, %s',
              account_id, hour, accounting_date, c.debits, c.credits, l.debits, l.credits)
FROM late l FULL JOIN ledger.late_totals c USING (hour, account_id, accounting_date)
WHERE (l.debits, l.credits) IS DISTINCT FROM (c.debits, c.credits)
UNION ALL
SELECT 'closed_hour', NULL, NULL, format('hour %s follows %s', hour, before)
FROM closed WHERE hour <> before + interval '1 hour'
