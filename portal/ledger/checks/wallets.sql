-- The wallet's balance that a posting of a credit keeps is the sum of all that moved the wallet's
-- accounts, up to the end of its entry.
SELECT 'wallet_balance' AS name, owner_id, seq,
       format('line %s leaves the wallet of ledger %s at %s, it says %s', line, ledger_id, balance, wallet_balance) AS detail
FROM (SELECT p.owner_id, p.seq, p.line, p.ledger_id, p.wallet_balance,
             sum(CASE WHEN d.never_negative THEN p.amount ELSE 0 END - CASE WHEN c.never_negative THEN p.amount ELSE 0 END)
                 OVER (PARTITION BY p.owner_id, p.ledger_id ORDER BY p.seq) AS balance
      FROM ledger.postings p
      JOIN (SELECT l.id FROM ledger.ledgers l JOIN ledger.assets s ON s.code = l.asset WHERE s.kind = 'credit') l ON l.id = p.ledger_id
      JOIN ledger.accounts d ON d.id = p.debit_account_id
      JOIN ledger.accounts c ON c.id = p.credit_account_id
      WHERE p.owner_id BETWEEN :first AND :last) wallet
WHERE wallet_balance IS DISTINCT FROM balance
