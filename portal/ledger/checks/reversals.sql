-- A reversal turns every posting of an earlier, reversible entry of the owner round, and none does twice.
WITH reversal AS MATERIALIZED (
    SELECT r.owner_id, r.seq, r.reverses_seq, r.booked_at, r.day,
           r.kind_id = :reversal AND r.reverses_seq < r.seq AND coalesce(f.reversible, false) AS fit,
           count(*) OVER (PARTITION BY r.owner_id, r.reverses_seq) AS times
    FROM ledger.entries r
    LEFT JOIN ledger.entries o ON o.owner_id = r.owner_id AND o.seq = r.reverses_seq
    LEFT JOIN ledger.postings p ON p.owner_id = o.owner_id AND p.seq = o.seq AND p.line = 1
    LEFT JOIN ledger.flows f ON f.kind_id = o.kind_id AND f.ledger_id = p.ledger_id
    WHERE r.owner_id BETWEEN :first AND :last AND r.reverses_seq IS NOT NULL
)
SELECT 'reversal' AS name, owner_id, seq, format('entry %s is reversed %s times, or can''t be', reverses_seq, times) AS detail
FROM reversal WHERE NOT fit OR times > 1
UNION ALL
SELECT 'reversal', owner_id, seq, format('line %s has %s of account %s from %s, the original %s of %s from %s', line,
       p.amount, p.debit_account_id, p.credit_account_id, w.amount, w.credit_account_id, w.debit_account_id)
FROM (SELECT r.owner_id, r.seq, o.line, o.ledger_id, o.credit_account_id AS debit_account_id,
             o.debit_account_id AS credit_account_id, o.amount, o.provider, r.booked_at, r.day,
             o.debit_balance IS NOT NULL AS credit_kept, o.credit_balance IS NOT NULL AS debit_kept,
             o.wallet_balance IS NOT NULL AS wallet_kept
      FROM reversal r JOIN ledger.postings o ON o.owner_id = r.owner_id AND o.seq = r.reverses_seq) w
FULL JOIN (SELECT p.* FROM reversal r JOIN ledger.postings p ON p.owner_id = r.owner_id AND p.seq = r.seq) p
    USING (owner_id, seq, line)
WHERE (p.ledger_id, p.debit_account_id, p.credit_account_id, p.amount, p.provider, p.booked_at, p.day,
       p.debit_balance IS NOT NULL, p.credit_balance IS NOT NULL, p.wallet_balance IS NOT NULL)
   IS DISTINCT FROM
      (w.ledger_id, w.debit_account_id, w.credit_account_id, w.amount, w.provider, w.booked_at, w.day,
       w.debit_kept, w.credit_kept, w.wallet_kept)
