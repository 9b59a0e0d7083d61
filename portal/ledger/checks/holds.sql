-- A hold's row says what its entries say: what was set aside, until when, and which entry ended it.
-- That one moves all of it, a capture in time; and what a user has in HELD is the sum of what is open.
WITH kind AS MATERIALIZED (
    SELECT DISTINCT kind_id, hold FROM ledger.flows WHERE hold IS NOT NULL
), step AS MATERIALIZED (   -- entries that open or end a hold, with all they move
    SELECT e.owner_id, e.seq, e.hold_seq, e.booked_at, k.hold, min(p.ledger_id) AS ledger_id, sum(p.amount) AS amount
    FROM ledger.entries e
    JOIN kind k ON k.kind_id = e.kind_id
    LEFT JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
    WHERE e.owner_id BETWEEN :first AND :last
    GROUP BY e.owner_id, e.seq, k.hold
), hold AS MATERIALIZED (
    SELECT * FROM ledger.holds WHERE owner_id BETWEEN :first AND :last
)
SELECT 'hold' AS name, owner_id, seq, format('sets aside %s in ledger %s at %s; its row has %s in %s until %s',
       o.amount, o.ledger_id, o.booked_at, h.amount, h.ledger_id, h.expires_at) AS detail
FROM (SELECT * FROM step WHERE hold = 'opens') o FULL JOIN hold h USING (owner_id, seq)
WHERE (o.amount, o.ledger_id) IS DISTINCT FROM (h.amount, h.ledger_id)
   OR h.expires_at <= o.booked_at OR h.expires_at > o.booked_at + interval '31 days'
UNION ALL
SELECT 'hold', owner_id, coalesce(s.seq, h.ended_seq), format('ends hold %s of %s in ledger %s, moving %s in %s at %s; it is ended by entry %s',
       ended, h.amount, h.ledger_id, s.amount, s.ledger_id, s.booked_at, h.ended_seq)
FROM (SELECT owner_id, hold_seq AS ended, seq, ledger_id, amount, hold, booked_at FROM step WHERE hold <> 'opens') s
FULL JOIN (SELECT owner_id, seq AS ended, amount, ledger_id, expires_at, ended_seq FROM hold WHERE ended_seq IS NOT NULL) h
    USING (owner_id, ended)
WHERE (s.seq, s.amount, s.ledger_id) IS DISTINCT FROM (h.ended_seq, h.amount, h.ledger_id)
   OR s.seq <= ended OR s.hold = 'captures' AND s.booked_at >= h.expires_at
UNION ALL
SELECT 'hold', owner_id, NULL, format('ledger %s has %s held, the open holds are of %s', ledger_id, b.balance, h.amount)
FROM (SELECT owner_id, ledger_id, sum(amount) AS amount FROM hold WHERE ended_seq IS NULL GROUP BY owner_id, ledger_id) h
FULL JOIN (SELECT b.owner_id, a.ledger_id, b.debits - b.credits AS balance
           FROM ledger.account_balances b
           JOIN (SELECT held_id AS id, min(ledger_id) AS ledger_id FROM ledger.flows WHERE held_id IS NOT NULL GROUP BY held_id) a ON a.id = b.account_id
           WHERE b.owner_id BETWEEN :first AND :last) b USING (owner_id, ledger_id)
WHERE coalesce(h.amount, 0) IS DISTINCT FROM coalesce(b.balance, 0)
