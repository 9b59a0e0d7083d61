-- Every top-up has claimed its payment: one claim, that names its owner and its key. Claims are the
-- key of their table, so no payment counts twice. A claim without its top-up is one that is under
-- way, or void (35_payments.sql says when).
SELECT 'claim' AS name, e.owner_id, e.seq, format('payment %s of %s is not claimed by it', e.reference, p.provider) AS detail
FROM ledger.entries e
JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq AND p.line = 1
JOIN ledger.flows f ON f.kind_id = e.kind_id AND f.ledger_id = p.ledger_id AND f.names_provider
LEFT JOIN ledger.payment_claims c ON c.owner_id = e.owner_id AND c.key_hash = e.key_hash
    AND c.provider = p.provider AND c.reference = coalesce(e.reference, c.reference)
WHERE e.owner_id BETWEEN :first AND :last AND c.provider IS NULL
UNION ALL
SELECT 'claim', c.owner_id, NULL, format('payment %s of %s is claimed from %s on', c.reference, c.provider, c.claimed_at)
FROM ledger.payment_claims c
WHERE c.owner_id BETWEEN :first AND :last AND c.claimed_at > (SELECT ledger.clock())
UNION ALL
SELECT 'claim', c.owner_id, NULL, format('payment %s of %s is claimed by nobody who is there', c.reference, c.provider)
FROM ledger.payment_claims c LEFT JOIN ledger.owners o ON o.owner_id = c.owner_id
WHERE c.owner_id BETWEEN :first AND :last AND o.owner_id IS NULL
