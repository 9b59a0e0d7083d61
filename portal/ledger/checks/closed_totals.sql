-- Closed hours follow each other, and closed totals are the sums of all that was booked until then.
WITH moved AS (
    SELECT date_bin('1 hour', booked_at, 'epoch') AS hour, debit_account_id, credit_account_id, sum(amount) AS amount
    FROM ledger.postings
    WHERE booked_at < (SELECT max(hour) + interval '1 hour' FROM ledger.closed_hours)
    GROUP BY 1, 2, 3
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
)
SELECT 'closed_total' AS name, NULL::bigint AS owner_id, NULL::bigint AS seq,
       format('account %s up to hour %s has debits %s, credits %s; the postings %s, %s',
              account_id, hour, c.debits, c.credits, t.debits, t.credits) AS detail
FROM total t FULL JOIN ledger.closed_totals c USING (hour, account_id)
WHERE (t.debits, t.credits) IS DISTINCT FROM (c.debits, c.credits)
UNION ALL
SELECT 'closed_hour', NULL, NULL, format('hour %s follows %s', hour, before)
FROM closed WHERE hour <> before + interval '1 hour'
