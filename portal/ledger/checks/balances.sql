-- What is kept beside the postings of a user's accounts follows from them: the balance after each,
-- the rows of account_balances and daily_balances. No floor and no cap is broken.
-- One pass sums the postings of each account and day and collects what is wrong among them.
WITH account AS MATERIALIZED (
    SELECT * FROM ledger.accounts WHERE scope = 'user'
), posting AS MATERIALIZED (
    SELECT * FROM ledger.postings WHERE owner_id BETWEEN :first AND :last
), moved AS (   -- each posting from the side of each user's account it touches
    SELECT p.owner_id, p.seq, p.line, p.day, a.id AS account_id, a.sign * p.amount AS change, p.amount AS debit,
           0::numeric AS credit, p.debit_balance AS kept, a.never_negative, false AS counts
    FROM posting p JOIN account a ON a.id = p.debit_account_id
    UNION ALL
    SELECT p.owner_id, p.seq, p.line, p.day, a.id, -a.sign * p.amount, 0, p.amount, p.credit_balance,
           a.never_negative, a.day_limit IS NOT NULL
    FROM posting p JOIN account a ON a.id = p.credit_account_id
), side AS (
    SELECT *, change + lag(kept, 1, 0::numeric) OVER (PARTITION BY owner_id, account_id ORDER BY seq, line) AS balance
    FROM moved
), summed AS (
    SELECT owner_id, account_id, day, count(*) AS entries, sum(debit) AS debits, sum(credit) AS credits,
           coalesce(sum(credit) FILTER (WHERE counts), 0) AS counted,
           array_agg(jsonb_build_array('balance_after', seq, format(
               'line %s leaves account %s at %s, it says %s', line, account_id, balance, kept)))
               FILTER (WHERE kept IS DISTINCT FROM balance) AS broken,
           array_agg(jsonb_build_array('floor', seq, format('line %s leaves account %s at %s', line, account_id, kept)))
               FILTER (WHERE never_negative AND kept < 0) AS below
    FROM side GROUP BY owner_id, account_id, day
), undone AS (   -- a reversed win gives its own day back what it used
    SELECT owner_id, p.debit_account_id AS account_id, o.day, sum(p.amount) AS amount
    FROM ledger.entries r
    JOIN ledger.entries o USING (owner_id)
    JOIN ledger.postings p USING (owner_id)
    JOIN ledger.accounts a ON a.id = p.debit_account_id AND a.day_limit IS NOT NULL
    WHERE owner_id BETWEEN :first AND :last AND r.reverses_seq IS NOT NULL
      AND o.seq = r.reverses_seq AND p.seq = r.seq
    GROUP BY owner_id, p.debit_account_id, o.day
), posted AS MATERIALIZED (
    SELECT s.*, s.counted - coalesce(u.amount, 0) AS used
    FROM summed s LEFT JOIN undone u USING (owner_id, account_id, day)
)
SELECT w.wrong ->> 0 AS name, owner_id, (w.wrong ->> 1)::bigint AS seq, w.wrong ->> 2 AS detail
FROM posted CROSS JOIN LATERAL unnest(broken || below) w (wrong) WHERE broken IS NOT NULL OR below IS NOT NULL
UNION ALL
SELECT 'cap', p.owner_id, NULL, format('%s counts %s against the %s that account %s allows a day',
                                       p.day, p.used, a.day_limit, p.account_id)
FROM posted p JOIN ledger.accounts a ON a.id = p.account_id WHERE p.used > a.day_limit
UNION ALL
SELECT 'daily_balance', owner_id, NULL,
       format('account %s on %s has %s entries, debits %s, credits %s, used %s as %s; the postings %s, %s, %s, %s',
              account_id, day, b.entries, b.debits, b.credits, b.used, b.daily_id, p.entries, p.debits, p.credits, p.used)
FROM posted p
FULL JOIN (SELECT * FROM ledger.daily_balances WHERE owner_id BETWEEN :first AND :last) b USING (owner_id, account_id, day)
WHERE (p.entries, p.debits, p.credits, p.used, to_char(day, 'DDMMYYYY'))
      IS DISTINCT FROM (b.entries, b.debits, b.credits, b.used, b.daily_id)
UNION ALL
SELECT 'account_balance', owner_id, NULL,
       format('account %s has debits %s, credits %s; the postings %s, %s', account_id, b.debits, b.credits, p.debits, p.credits)
FROM (SELECT p.owner_id, p.account_id, a.never_negative, sum(p.debits) AS debits, sum(p.credits) AS credits
      FROM posted p JOIN ledger.accounts a ON a.id = p.account_id
      GROUP BY p.owner_id, p.account_id, a.never_negative) p
FULL JOIN (SELECT * FROM ledger.account_balances WHERE owner_id BETWEEN :first AND :last) b USING (owner_id, account_id)
WHERE (p.debits, p.credits, p.never_negative) IS DISTINCT FROM (b.debits, b.credits, b.never_negative)
