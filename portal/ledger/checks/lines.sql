-- An entry has the postings its kind asks for and no others. The first posting's amount is given;
-- the converted amount follows from the hour's rate, the fee from the rule in force, and a zero fee
-- makes no posting. What a capture leaves of its hold is held against the hold, and reversals against
-- their originals, in files of their own.
WITH rules AS MATERIALIZED (
    SELECT kind_id, fixed, basis_points, provider, from_at,
           lead(from_at, 1, 'infinity') OVER (PARTITION BY kind_id ORDER BY from_at) AS upto
    FROM ledger.fee_rules
), pair AS MATERIALIZED (
    SELECT *, count(*) FILTER (WHERE role NOT IN ('fee', 'rest')) OVER kind AS kind_lines,
           count(*) FILTER (WHERE role = 'fee') OVER kind AS fee_lines
    FROM ledger.pairs WINDOW kind AS (PARTITION BY kind_id, ledger_id)
), line AS (   -- each posting, with what the first one of its entry says
    SELECT *, first_value(line) OVER entry AS first_line, first_value(ledger_id) OVER entry AS first_ledger,
           first_value(amount) OVER entry AS first_amount, count(*) OVER entry AS lines
    FROM ledger.postings WHERE owner_id BETWEEN :first AND :last
    WINDOW entry AS (PARTITION BY owner_id, seq ORDER BY line
                     ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
), booked AS (
    SELECT owner_id, seq, e.booked_at IS NULL AS no_entry, e.kind_id, e.reverses_seq, e.occurred_at,
           e.booked_at AS entry_booked_at, e.day AS entry_day,
           p.booked_at, p.day, p.line, p.ledger_id, p.debit_account_id, p.credit_account_id, p.amount,
           p.provider, p.debit_balance IS NOT NULL AS debit_kept, p.credit_balance IS NOT NULL AS credit_kept,
           p.wallet_balance IS NOT NULL AS wallet_kept,
           first_line, first_ledger, first_amount, lines,
           CASE WHEN e.kind_id = :conversion THEN ledger.hour_of(e.occurred_at) END AS hour,
           CASE WHEN e.kind_id = :conversion THEN e.occurred_at ELSE e.booked_at END AS fee_at
    FROM (SELECT * FROM ledger.entries WHERE owner_id BETWEEN :first AND :last) e
    FULL JOIN line p USING (owner_id, seq)
), wanted AS (
    SELECT b.*, q.line IS NULL AS no_pair, q.role, q.debit_sign <> 0 AS debit_keeps, q.credit_sign <> 0 AS credit_keeps,
           q.wallet, f.names_provider,
           (q.posting_ledger_id, q.debit_account_id, q.credit_account_id)
               IS DISTINCT FROM (b.ledger_id, b.debit_account_id, b.credit_account_id) AS other_pair,
           h.rate, trunc(b.first_amount * h.rate) AS converted, r.provider AS fee_provider,
           coalesce(ledger.fee(r.fixed, r.basis_points, coalesce(trunc(b.first_amount * h.rate), 0)), 0) AS fee,
           q.kind_lines, q.fee_lines
    FROM booked b
    LEFT JOIN pair q ON q.kind_id = b.kind_id AND q.ledger_id = b.first_ledger AND q.line = b.line
    LEFT JOIN ledger.flows f ON f.kind_id = b.kind_id AND f.ledger_id = b.first_ledger
    LEFT JOIN ledger.hour_rates h ON h.hour = b.hour
    LEFT JOIN rules r ON r.kind_id = b.kind_id AND b.fee_at >= r.from_at AND b.fee_at < r.upto
    WHERE b.reverses_seq IS NULL
), judged AS (
    SELECT *, line IS NULL AS no_postings,
           line = first_line AND (line <> 1 OR lines < kind_lines + CASE WHEN fee > 0 THEN fee_lines ELSE 0 END) AS too_few,
           NOT no_entry AND first_line = 1 AND other_pair AS forbidden,
           role = 'converted' AND amount IS DISTINCT FROM converted AS other_rate,
           role = 'fee' AND amount <> fee
               OR NOT no_entry AND first_line = 1 AND names_provider IS NOT TRUE
                  AND provider IS DISTINCT FROM CASE WHEN role = 'fee' THEN fee_provider END AS other_fee,
           debit_kept <> debit_keeps OR credit_kept <> credit_keeps OR wallet_kept <> wallet AS other_scope,
           booked_at <> entry_booked_at AS other_time, day <> entry_day AS other_day,
           hour IS NOT NULL AND line = first_line
               AND (rate IS NULL OR occurred_at <> hour + interval '1 hour' - interval '1 microsecond'
                    OR entry_booked_at <= occurred_at) AS no_hour
    FROM wanted
)
SELECT found.name, j.owner_id, j.seq, found.detail
FROM judged j
CROSS JOIN LATERAL (VALUES
    ('entry', no_entry, format('line %s belongs to no entry', line)),
    ('posting', no_postings, 'has no postings'),
    ('posting', too_few, format('has %s postings, the first of them line %s', lines, line)),
    ('pair', forbidden, format('line %s, account %s from %s, is no pair of its kind', line, debit_account_id, credit_account_id)),
    ('rate', other_rate, format('line %s has %s, %s at rate %s is %s', line, amount, first_amount, rate, converted)),
    ('rate', no_hour, format('converted at %s, booked at %s, rate %s', occurred_at, entry_booked_at, rate)),
    ('fee', other_fee, format('line %s has %s to %s, the rule says %s to %s', line, amount, provider, fee, fee_provider)),
    ('balance_after', other_scope, format('line %s keeps a balance that it should not, or not one that it should', line)),
    ('booked_at', other_time, format('line %s booked at %s, its entry at %s', line, booked_at, entry_booked_at)),
    ('day', other_day, format('line %s of %s, its entry of %s', line, day, entry_day))
) AS found (name, wrong, detail)
WHERE (no_entry OR no_postings OR too_few OR forbidden OR other_rate OR no_hour OR other_fee OR other_scope
       OR other_time OR other_day)
  AND found.wrong
