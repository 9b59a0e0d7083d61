-- Closed-loop assets with their system accounts, and two users with opening balances, for a migrated
-- database. Everything is booked through ledger.post, and running it again changes nothing:
--
--     psql -v ON_ERROR_STOP=1 -f seed.sql "$DATABASE_URL"
--
-- `bin/flask seed` runs this file too.

BEGIN;

-- An asset comes with its ledger and accounts: of users INVENTORY and HELD; of the company TREASURY
-- (source of top-ups), PROMOTIONS (source of bonuses), REVENUE (where spent credits go), EXPIRED.
SELECT ledger.add_asset('GOLD_COIN', 'Gold Coins', 0),
       ledger.add_asset('DIAMOND', 'Diamonds', 0),
       ledger.add_asset('LOYALTY_POINT', 'Loyalty Points', 2);

-- Idempotency keys belong to a client.
INSERT INTO api_clients (name, created_at) VALUES ('seed', ledger.clock()) ON CONFLICT (name) DO NOTHING;

-- Users as POST /api/v1/users makes them: the same request there finds these.
WITH person (external_id, display_name, zone) AS (
    VALUES ('seed-alice', 'Alice', 'Europe/London'), ('seed-bob', 'Bob', 'Asia/Tokyo')
), made AS (
    INSERT INTO users (id, external_id, display_name, region, created_at, creation_hash)
    SELECT nextval('user_numbers'), p.external_id, p.display_name, 0, ledger.clock(),
           sha256(convert_to(format('["%s", "%s", "%s", null, null]', p.external_id, p.display_name, p.zone), 'UTF8'))
    FROM person p WHERE NOT EXISTS (SELECT FROM users u WHERE u.external_id = p.external_id)
    RETURNING id, external_id
)
SELECT m.external_id, ledger.open_owner(m.id, p.zone) FROM made m JOIN person p USING (external_id);

-- What each user starts with, in whole units; a top-up's reference is that of the payment.
CREATE TEMPORARY TABLE opening ON COMMIT DROP AS
SELECT row_number() OVER () AS n, u.id AS owner_id, k.id AS kind_id, l.id AS ledger_id, c.id AS client_id, o.*,
       (o.units * 10::numeric ^ s.scale)::numeric(78, 0) AS amount,
       encode(substr(sha256(convert_to(format('%s:opening:%s', c.id, o.reference), 'UTF8')), 1, 16), 'hex')::uuid AS key_hash
FROM (VALUES ('seed-alice', 'top_up', 'GOLD_COIN',     1000.0, 'alice-gold',     'seed', NULL),
             ('seed-alice', 'top_up', 'DIAMOND',         50.0, 'alice-diamonds', 'seed', NULL),
             ('seed-alice', 'bonus',  'LOYALTY_POINT',  100.0, 'alice-points',   NULL,   'welcome'),
             ('seed-bob',   'top_up', 'GOLD_COIN',      250.0, 'bob-gold',       'seed', NULL),
             ('seed-bob',   'bonus',  'LOYALTY_POINT',   25.5, 'bob-points',     NULL,   'welcome'))
     AS o (external_id, kind, asset, units, reference, provider, reason)
JOIN users u ON u.external_id = o.external_id
JOIN ledger.assets s ON s.code = o.asset
JOIN ledger.ledgers l ON l.code = o.asset
JOIN ledger.entry_kinds k ON k.code = o.kind
JOIN api_clients c ON c.name = 'seed';

DO $$
DECLARE
    v_refused text;
BEGIN
    SELECT string_agg(reference, ', ') INTO v_refused FROM opening
    WHERE kind = 'top_up' AND ledger.claim_payment(provider, reference, owner_id, key_hash) IS NOT TRUE;
    IF v_refused IS NOT NULL THEN
        RAISE EXCEPTION 'these payments were booked before by somebody else: %', v_refused;
    END IF;

    SELECT string_agg(format('%s: %s', i.reference, p.code), ', ') INTO v_refused
    FROM (SELECT array_agg(owner_id ORDER BY n) AS owners, array_agg(kind_id ORDER BY n) AS kinds,
                 array_agg(ledger_id ORDER BY n) AS ledgers, array_agg(client_id ORDER BY n) AS clients,
                 array_agg(key_hash ORDER BY n) AS keys, array_agg(amount ORDER BY n) AS amounts,
                 array_agg(reference ORDER BY n) AS names, array_agg(provider ORDER BY n) AS providers,
                 array_agg(reason ORDER BY n) AS reasons,
                 -- of the request in canonical form: version, kind, owner, asset, amount, reference, description, and the kind's own
                 array_agg(sha256(convert_to(format('[1,"%s",%s,"%s",%s,"%s",null,"%s"]', kind, owner_id, asset, amount, reference,
                                                    coalesce(provider, reason)), 'UTF8')) ORDER BY n) AS hashes
          FROM opening) o
    CROSS JOIN LATERAL ROWS FROM (ledger.post(
        p_owner => o.owners, p_kind => o.kinds, p_ledger => o.ledgers, p_client => o.clients, p_key => o.keys,
        p_hash => o.hashes, p_amount => o.amounts, p_reference => o.names, p_provider => o.providers,
        p_reason => o.reasons)) WITH ORDINALITY AS p (status, code, seq, booked_at, day, day_limit, used, balance, held, n)
    JOIN opening i ON i.n = p.n
    WHERE p.status NOT IN ('posted', 'replayed');
    IF v_refused IS NOT NULL THEN
        RAISE EXCEPTION 'opening balances were refused: %', v_refused;
    END IF;
END $$;

SELECT u.external_id, u.id AS user_id, l.code AS asset, trim_scale(sum(b.debits - b.credits) / 10::numeric ^ s.scale) AS balance
FROM users u
JOIN ledger.account_balances b ON b.owner_id = u.id
JOIN ledger.accounts a ON a.id = b.account_id AND a.never_negative
JOIN ledger.ledgers l ON l.id = a.ledger_id
JOIN ledger.assets s ON s.code = l.asset
WHERE u.external_id IN ('seed-alice', 'seed-bob')
GROUP BY u.id, l.code, s.scale ORDER BY u.id, l.code;

COMMIT;
