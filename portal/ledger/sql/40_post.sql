-- ledger.post: the one way into the books. One call, one transaction, 1 to 1,000 entries.
--
-- 1. lock the owners in ascending order        4. decide each entry in the order given
-- 2. share the hour's lock, read the clock     5. write entries, postings and balances, set-based
-- 3. look up the idempotency keys
--
-- The arrays run in parallel, an element an entry; an array that is NULL stands for all NULLs.
-- Amounts are base units; a reversal and a release have none of their own, a capture without one
-- takes the whole hold. p_hold names the hold that a capture or release ends, p_expires says when a
-- new one expires (NULL: in 7 days). p_wait false leaves out the owners that somebody else holds:
-- their entries come back as 'busy' and nothing waits. p_max_age and p_max_ahead bound occurred_at
-- (NULL: no bound). p_rate is the rate of conversions.
--
-- Outcomes, in the order given: 'posted', 'replayed' (the original's seq, booked_at and day),
-- 'rejected' with a code and its figures, or 'busy'. `balance` is the whole wallet's, `held` the
-- part of it that holds have set aside.

DROP FUNCTION IF EXISTS ledger.post;
CREATE FUNCTION ledger.post(
    p_owner bigint[], p_kind smallint[], p_ledger smallint[], p_client bigint[], p_key uuid[],
    p_hash bytea[], p_amount numeric[], p_occurred timestamptz[] DEFAULT NULL, p_reverses bigint[] DEFAULT NULL,
    p_hold bigint[] DEFAULT NULL, p_expires timestamptz[] DEFAULT NULL, p_game text[] DEFAULT NULL,
    p_reference text[] DEFAULT NULL, p_description text[] DEFAULT NULL, p_reason text[] DEFAULT NULL,
    p_provider text[] DEFAULT NULL, p_wait boolean DEFAULT true, p_max_age interval DEFAULT NULL,
    p_max_ahead interval DEFAULT NULL, p_rate numeric DEFAULT NULL)
RETURNS TABLE (status text, code text, seq bigint, booked_at timestamptz, day date,
               day_limit numeric, used numeric, balance numeric, held numeric)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off   -- a plan made while the books were empty must serve when they are full
AS $$
#variable_conflict use_column
DECLARE
    c_max_amount CONSTANT numeric := 115792089237316195423570985008687907853269984665640564039457584007913129639935;
    c_hold_default CONSTANT interval := '7 days';
    c_hold_longest CONSTANT interval := '31 days';
    v_now     timestamptz;
    v_hour    integer;   v_closed  boolean;   -- whether the period that entries would be dated in is closed
    v_n       integer := cardinality(p_owner);
    v_owners  bigint[];        -- those that are locked, and what they say
    v_seqs    bigint[];
    v_times   timestamptz[];
    -- what is decided, by position in the input: filled first, as an array begins where it is first set
    v_status  text[]        := array_fill(NULL::text, ARRAY[v_n]);
    v_code    text[]        := array_fill(NULL::text, ARRAY[v_n]);
    v_seq     bigint[]      := array_fill(NULL::bigint, ARRAY[v_n]);   -- of what is to be posted
    v_shown   bigint[]      := array_fill(NULL::bigint, ARRAY[v_n]);   -- of what is answered
    v_booked  timestamptz[] := array_fill(NULL::timestamptz, ARRAY[v_n]);
    v_day     date[]        := array_fill(NULL::date, ARRAY[v_n]);
    v_limit   numeric[]     := array_fill(NULL::numeric, ARRAY[v_n]);
    v_used    numeric[]     := array_fill(NULL::numeric, ARRAY[v_n]);
    v_balance numeric[]     := array_fill(NULL::numeric, ARRAY[v_n]);
    v_held    numeric[]     := array_fill(NULL::numeric, ARRAY[v_n]);
    v_amount  numeric[]     := coalesce(p_amount, array_fill(NULL::numeric, ARRAY[v_n]));
    v_rest    numeric[]     := array_fill(NULL::numeric, ARRAY[v_n]);      -- what a capture leaves of its hold
    v_expires timestamptz[] := array_fill(NULL::timestamptz, ARRAY[v_n]);  -- of what is held
    v_holds   boolean       := false;    -- whether any hold is opened or ended
    v_claimed boolean[];                 -- whether the payment that is named was claimed by the entry's key
    -- the owner being decided, as its earlier entries of this call leave it
    r         record;
    v_owner   bigint;
    v_next    bigint;
    v_keys    uuid[];         -- posted in this call, and where
    v_at      bigint[];
    v_undone  bigint[];       -- seq of what was reversed in this call, and of the holds that ended
    v_days    date[];         -- what counts against the day limit, by day
    v_won     numeric[];
    v_moved   numeric[];      -- change of balance, by account
    v_free    numeric;        -- in the wallet: what may be spent
    v_aside   numeric;        -- and what holds have set aside
    v_sum     numeric;
    p         integer;
    v_latest  timestamptz;    -- booked_at of this call
BEGIN
    -- 1. The same order everywhere: no deadlock is possible.
    IF p_wait THEN
        SELECT array_agg(owner_id), array_agg(last_seq), array_agg(last_booked_at) INTO v_owners, v_seqs, v_times
        FROM (SELECT * FROM owners WHERE owner_id = ANY (p_owner) ORDER BY owner_id FOR NO KEY UPDATE) o;
    ELSE
        SELECT array_agg(owner_id), array_agg(last_seq), array_agg(last_booked_at) INTO v_owners, v_seqs, v_times
        FROM (SELECT * FROM owners WHERE owner_id = ANY (p_owner) ORDER BY owner_id FOR NO KEY UPDATE SKIP LOCKED) o;
    END IF;

    -- 2. Who closes an hour waits for all that share its lock: so the clock is read with the lock in hand.
    v_now := ledger.clock();
    LOOP
        v_hour := hour_lock(v_now);
        PERFORM pg_advisory_xact_lock_shared(1, v_hour);
        v_now := ledger.clock();
        EXIT WHEN hour_lock(v_now) = v_hour;
    END LOOP;
    v_closed := is_period_closed(v_now, p_rate IS NOT NULL);

    IF p_provider IS NOT NULL THEN
        v_claimed := ARRAY(SELECT c.found IS TRUE
                           FROM unnest(p_owner, p_key, p_provider, p_reference) WITH ORDINALITY i (owner_id, key_hash, provider, reference, n)
                           LEFT JOIN LATERAL (SELECT true AS found FROM payment_claims c
                                              WHERE c.provider = i.provider AND c.reference = i.reference
                                                AND c.owner_id = i.owner_id AND c.key_hash = i.key_hash OFFSET 0) c ON true
                           ORDER BY i.n);
    END IF;

    -- 3 and 4. One statement fetches all that the rules need; the loop only compares.
    FOR r IN
        SELECT i.n, i.owner_id, i.key_hash, i.request_hash, i.reverses_seq,
               coalesce(CASE WHEN i.reverses_seq IS NULL THEN i.amount ELSE v.amount END, h.amount) AS amount,
               o.last_seq, t.booked_at, d.day,
               i.occurred_at > v_now + p_max_ahead OR i.occurred_at < v_now - p_max_age AS untimely,
               k.seq AS old_seq, k.request_hash AS old_hash, k.booked_at AS old_booked_at,
               f.day_limit, w.used, f.available_id, a.balance AS available, f.held_id, s.balance AS held,
               f.hold, f.names_provider, i.hold_seq, h.seq AS open_seq, h.amount AS hold_amount, h.ended_seq, h.expires_at,
               coalesce(i.expires_at, t.booked_at + c_hold_default) AS new_expires_at,
               coalesce(f.source_id, v.target_id) AS source_id,
               coalesce(f.target_id, v.source_id) AS target_id,
               v.seq AS undone_seq, v.day AS undone_day, v.limited_id IS NOT NULL AS undone_limited, v.reversible, v.reversed
        FROM unnest(p_owner, p_kind, p_ledger, p_key, p_hash, p_amount, p_occurred, p_reverses, p_hold, p_expires) WITH ORDINALITY
             AS i (owner_id, kind_id, ledger_id, key_hash, request_hash, amount, occurred_at, reverses_seq, hold_seq, expires_at, n)
        JOIN flows f ON f.kind_id = i.kind_id AND f.ledger_id = i.ledger_id
        CROSS JOIN LATERAL (SELECT width_bucket(i.owner_id, v_owners) AS place OFFSET 0) x   -- a join would read all for each
        LEFT JOIN LATERAL (SELECT v_seqs[x.place] AS last_seq, v_times[x.place] AS last_booked_at
                           WHERE v_owners[x.place] = i.owner_id) o ON true
        CROSS JOIN LATERAL (SELECT greatest(v_now, o.last_booked_at) AS booked_at) t
        LEFT JOIN LATERAL (SELECT e.seq, e.request_hash, e.booked_at, e.day FROM entries e
                           WHERE e.owner_id = i.owner_id AND e.key_hash = i.key_hash OFFSET 0) k ON true
        LEFT JOIN LATERAL original(i.owner_id, i.reverses_seq, i.ledger_id) v ON true
        LEFT JOIN LATERAL local_day(i.owner_id, coalesce(i.occurred_at, t.booked_at)) z ON true
        CROSS JOIN LATERAL (SELECT coalesce(k.day, z.day) AS day) d
        LEFT JOIN LATERAL (SELECT w.used FROM daily_balances w
                           WHERE w.owner_id = i.owner_id AND w.account_id = f.limited_id AND w.day = d.day
                             AND f.limited_id IS NOT NULL OFFSET 0) w ON true
        LEFT JOIN LATERAL (SELECT b.debits - b.credits AS balance FROM account_balances b
                           WHERE b.owner_id = i.owner_id AND b.account_id = f.available_id
                             AND f.limited_id IS NULL OFFSET 0) a ON true
        LEFT JOIN LATERAL (SELECT b.debits - b.credits AS balance FROM account_balances b
                           WHERE b.owner_id = i.owner_id AND b.account_id = f.held_id
                             AND f.held_id IS NOT NULL OFFSET 0) s ON true
        LEFT JOIN LATERAL (SELECT x.seq, x.amount, x.ended_seq, x.expires_at FROM holds x
                           WHERE x.owner_id = i.owner_id AND x.seq = i.hold_seq AND x.ledger_id = i.ledger_id
                             AND i.hold_seq IS NOT NULL OFFSET 0) h ON true
        ORDER BY i.owner_id, i.n
    LOOP
        IF r.owner_id IS DISTINCT FROM v_owner THEN
            v_owner := r.owner_id;
            v_next := r.last_seq;
            v_keys := '{}'; v_at := '{}'; v_undone := '{}'; v_days := '{}'; v_won := '{}'; v_moved := '{}';
        END IF;
        IF r.last_seq IS NULL THEN   -- a query in the condition would be run for every entry
            IF EXISTS (SELECT FROM owners o WHERE o.owner_id = v_owner) THEN
                v_status[r.n] := 'busy';
            ELSE
                v_status[r.n] := 'rejected';
                v_code[r.n] := 'unknown_user';
            END IF;
            CONTINUE;
        END IF;
        p := array_position(v_days, r.day);
        v_sum := coalesce(r.used, 0) + coalesce(v_won[p], 0);
        v_free := coalesce(r.available, 0) + coalesce(v_moved[r.available_id], 0);
        v_aside := coalesce(r.held, 0) + coalesce(v_moved[r.held_id], 0);
        IF r.untimely IS NOT TRUE OR r.old_seq IS NOT NULL THEN   -- else its year may be one that no driver can read
            v_day[r.n] := r.day;
        END IF;
        v_limit[r.n] := r.day_limit;
        v_used[r.n] := v_sum;
        IF r.day_limit IS NULL THEN
            v_balance[r.n] := v_free + v_aside;
            v_held[r.n] := v_aside;
        END IF;

        p := array_position(v_keys, r.key_hash);
        IF r.old_seq IS NOT NULL OR p IS NOT NULL THEN
            IF r.request_hash = coalesce(r.old_hash, p_hash[v_at[p]]) THEN
                v_status[r.n] := 'replayed';
                v_shown[r.n] := coalesce(r.old_seq, v_seq[v_at[p]]);
                v_booked[r.n] := coalesce(r.old_booked_at, v_booked[v_at[p]]);
            ELSE
                v_code[r.n] := 'idempotency_key_reused';
            END IF;
        ELSIF v_closed THEN
            v_code[r.n] := 'period_closed';
        ELSIF r.untimely THEN
            v_code[r.n] := 'occurred_at_out_of_range';
        ELSIF r.reverses_seq IS NOT NULL AND r.undone_seq IS NULL THEN
            IF r.reverses_seq > r.last_seq AND r.reverses_seq <= v_next THEN
                RAISE EXCEPTION 'entry % is of this very call', r.reverses_seq   -- the caller halves
                    USING ERRCODE = 'DL012';
            END IF;
            v_code[r.n] := 'unknown_entry';
        ELSIF r.reverses_seq IS NOT NULL AND r.reversible IS NOT TRUE THEN
            v_code[r.n] := 'not_reversible';
        ELSIF r.reversed OR r.reverses_seq = ANY (v_undone) THEN
            v_code[r.n] := 'already_reversed';
        ELSIF r.hold <> 'opens' AND r.open_seq IS NULL THEN
            IF r.hold_seq > r.last_seq AND r.hold_seq <= v_next THEN
                RAISE EXCEPTION 'hold % is of this very call', r.hold_seq   -- the caller halves
                    USING ERRCODE = 'DL012';
            END IF;
            v_code[r.n] := 'unknown_hold';
        ELSIF r.ended_seq IS NOT NULL OR r.hold_seq = ANY (v_undone) OR r.hold = 'captures' AND r.expires_at <= r.booked_at THEN
            v_code[r.n] := 'hold_not_open';
        ELSIF r.amount > r.hold_amount THEN
            v_code[r.n] := 'capture_exceeds_hold';
        ELSIF r.hold = 'opens' AND (r.new_expires_at <= r.booked_at OR r.new_expires_at > r.booked_at + c_hold_longest) THEN
            v_code[r.n] := 'expires_at_out_of_range';
        ELSIF r.names_provider AND v_claimed[r.n] IS NOT TRUE THEN
            v_code[r.n] := 'payment_reference_reused';
        ELSIF (r.amount BETWEEN 1 AND c_max_amount AND r.amount = trunc(r.amount)) IS NOT TRUE THEN
            RAISE EXCEPTION 'an amount is a whole number of base units from 1 to 2^256-1, not %', r.amount
                USING ERRCODE = 'DL011';
        ELSIF v_sum + r.amount > r.day_limit THEN
            v_code[r.n] := 'daily_limit_exceeded';
        ELSIF r.source_id = r.available_id AND r.amount > v_free THEN
            v_code[r.n] := 'insufficient_funds';
        ELSE
            v_next := v_next + 1;
            v_status[r.n] := 'posted';
            v_seq[r.n] := v_next;
            v_shown[r.n] := v_next;
            v_booked[r.n] := r.booked_at;
            v_latest := greatest(v_latest, r.booked_at);
            v_keys := v_keys || r.key_hash;
            v_at := v_at || r.n;
            IF r.day_limit IS NOT NULL THEN
                v_used[r.n] := v_sum + r.amount;
                p := array_position(v_days, r.day);
                IF p IS NULL THEN
                    v_days := v_days || r.day;
                    v_won := v_won || r.amount;
                ELSE
                    v_won[p] := v_won[p] + r.amount;
                END IF;
            END IF;
            IF r.undone_seq IS NOT NULL THEN
                v_undone := v_undone || r.undone_seq;
                IF r.undone_limited THEN
                    p := array_position(v_days, r.undone_day);
                    IF p IS NULL THEN
                        v_days := v_days || r.undone_day;
                        v_won := v_won || -r.amount;
                    ELSE
                        v_won[p] := v_won[p] - r.amount;
                    END IF;
                END IF;
            END IF;
            IF r.hold IS NOT NULL THEN
                v_holds := true;
                IF r.hold = 'opens' THEN
                    v_expires[r.n] := r.new_expires_at;
                ELSE   -- the whole hold ends: what was not captured goes back
                    v_undone := v_undone || r.hold_seq;
                    v_amount[r.n] := r.amount;
                    v_rest[r.n] := r.hold_amount - r.amount;
                    v_moved[r.held_id] := coalesce(v_moved[r.held_id], 0) - v_rest[r.n];
                    v_moved[r.available_id] := coalesce(v_moved[r.available_id], 0) + v_rest[r.n];
                END IF;
            END IF;
            IF r.source_id IS NOT NULL THEN
                v_moved[r.source_id] := coalesce(v_moved[r.source_id], 0) - r.amount;
            END IF;
            IF r.target_id IS NOT NULL THEN
                v_moved[r.target_id] := coalesce(v_moved[r.target_id], 0) + r.amount;
            END IF;
            IF r.day_limit IS NULL THEN
                v_held[r.n] := coalesce(r.held, 0) + coalesce(v_moved[r.held_id], 0);
                v_balance[r.n] := coalesce(r.available, 0) + coalesce(v_moved[r.available_id], 0) + v_held[r.n];
            END IF;
        END IF;
        IF v_code[r.n] IS NOT NULL THEN
            v_status[r.n] := 'rejected';
        END IF;
    END LOOP;

    IF array_position(v_status, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'no such kind of entry in that ledger' USING ERRCODE = 'DL008';
    END IF;

    IF hour_lock(v_latest) > hour_lock(v_now) THEN   -- the machine's clock stepped back over an hour's end
        PERFORM pg_advisory_xact_lock_shared(1, hour_lock(v_latest));
        IF EXISTS (SELECT FROM closed_hours h WHERE h.hour = hour_of(v_latest)) THEN
            RAISE EXCEPTION 'the hour of an entry was closed meanwhile' USING ERRCODE = 'DL009';
        END IF;
    END IF;

    -- 5. Once a row: heads, entries, balances, postings.
    -- What names a row by its whole key says = ANY (ARRAY[…]) or stands behind OFFSET 0: that can
    -- only be looked up by index. A plain = may be planned, while the books are small, as a join
    -- that reads a whole table, and the plan stays when they are big.
    WITH accepted AS MATERIALIZED (
        SELECT * FROM unnest(p_owner, v_seq, p_kind, p_ledger, p_client, p_key, p_hash, v_amount, p_occurred,
                             v_booked, v_day, p_reverses, p_hold, p_game, p_reference, p_description, p_reason,
                             p_provider, v_rest, v_balance)
            AS a (owner_id, seq, kind_id, ledger_id, client_id, key_hash, request_hash, amount, occurred_at,
                  booked_at, day, reverses_seq, hold_seq, game, reference, description, reason, provider, rest, balance)
        WHERE a.seq IS NOT NULL
    ), heads AS (
        UPDATE owners o SET last_seq = h.seq, last_booked_at = h.booked_at
        FROM (SELECT owner_id, max(seq) AS seq, max(booked_at) AS booked_at FROM accepted GROUP BY owner_id) h
        WHERE o.owner_id = ANY (ARRAY[h.owner_id])
    ), new_entries AS (
        INSERT INTO entries (owner_id, seq, kind_id, client_id, key_hash, request_hash, occurred_at, booked_at, day,
                             accounting_date, reverses_seq, hold_seq, game, reference, description, reason)
        SELECT owner_id, seq, kind_id, client_id, key_hash, request_hash, coalesce(occurred_at, booked_at), booked_at, day,
               (booked_at AT TIME ZONE 'UTC')::date, reverses_seq, hold_seq, game, reference, description, reason
        FROM accepted
    ), rules AS MATERIALIZED (
        SELECT a.*, f.fixed, f.basis_points, f.provider
        FROM (SELECT DISTINCT kind_id, CASE WHEN p_rate IS NULL THEN booked_at ELSE occurred_at END AS at FROM accepted) a
        CROSS JOIN LATERAL fee_rule(a.kind_id, a.at) f
    ), lines AS MATERIALIZED (
        SELECT a.owner_id, a.seq, a.booked_at, a.day, q.line, q.posting_ledger_id AS ledger_id, q.debit_account_id, q.credit_account_id,
               m.amount, CASE WHEN q.role = 'fee' THEN r.provider ELSE a.provider END AS provider,
               q.debit_sign, q.credit_sign, q.counts, CASE WHEN q.wallet THEN a.balance END AS wallet_balance
        FROM accepted a
        JOIN pairs q ON q.kind_id = a.kind_id AND q.ledger_id = a.ledger_id
        LEFT JOIN rules r ON r.kind_id = a.kind_id AND r.at = CASE WHEN p_rate IS NULL THEN a.booked_at ELSE a.occurred_at END
        CROSS JOIN LATERAL (SELECT CASE q.role WHEN 'amount' THEN a.amount
                                               WHEN 'converted' THEN trunc(a.amount * p_rate)
                                               WHEN 'rest' THEN a.rest
                                               ELSE fee(r.fixed, r.basis_points, trunc(a.amount * p_rate)) END AS amount) m
        WHERE m.amount > 0
        UNION ALL
        SELECT a.owner_id, a.seq, a.booked_at, a.day, o.line, o.ledger_id, o.credit_account_id, o.debit_account_id,
               o.amount, o.provider, CASE WHEN c.scope = 'user' THEN c.sign ELSE 0 END,
               CASE WHEN d.scope = 'user' THEN d.sign ELSE 0 END, false,
               CASE WHEN o.wallet_balance IS NOT NULL THEN a.balance END
        FROM accepted a
        CROSS JOIN LATERAL (SELECT * FROM postings o WHERE o.owner_id = a.owner_id AND o.seq = a.reverses_seq OFFSET 0) o
        JOIN accounts d ON d.id = o.debit_account_id
        JOIN accounts c ON c.id = o.credit_account_id
    ), sides AS MATERIALIZED (
        SELECT owner_id, seq, line, day, debit_account_id AS account_id, amount AS debit, 0::numeric AS credit,
               debit_sign * amount AS change, 0::numeric AS counted
        FROM lines WHERE debit_sign <> 0
        UNION ALL
        SELECT owner_id, seq, line, day, credit_account_id, 0, amount, -credit_sign * amount,
               CASE WHEN counts THEN amount ELSE 0 END
        FROM lines WHERE credit_sign <> 0
    ), sums AS MATERIALIZED (
        SELECT owner_id, account_id, sum(debit) AS debits, sum(credit) AS credits
        FROM sides GROUP BY owner_id, account_id
    ), grown AS (
        UPDATE account_balances b SET debits = b.debits + s.debits, credits = b.credits + s.credits
        FROM sums s WHERE b.owner_id = ANY (ARRAY[s.owner_id]) AND b.account_id = ANY (ARRAY[s.account_id])
        RETURNING b.owner_id, b.account_id, b.debits - b.credits AS balance
    ), opened AS (
        INSERT INTO account_balances AS b (owner_id, account_id, never_negative, debits, credits)
        SELECT s.owner_id, s.account_id, a.never_negative, s.debits, s.credits
        FROM sums s JOIN accounts a ON a.id = s.account_id
        WHERE (s.owner_id, s.account_id) NOT IN (SELECT owner_id, account_id FROM grown)
        RETURNING b.owner_id, b.account_id, b.debits - b.credits AS balance
    ), day_sums AS MATERIALIZED (
        SELECT owner_id, account_id, day, count(seq) AS entries, sum(debit) AS debits, sum(credit) AS credits,
               sum(counted) AS used
        FROM (SELECT owner_id, account_id, day, seq, debit, credit, counted FROM sides
              UNION ALL   -- a reversed win gives its own day back what it used
              SELECT a.owner_id, v.limited_id, v.day, NULL, 0, 0, -v.amount
              FROM accepted a CROSS JOIN LATERAL original(a.owner_id, a.reverses_seq, a.ledger_id) v
              WHERE v.limited_id IS NOT NULL) s
        GROUP BY owner_id, account_id, day
    ), day_grown AS (
        UPDATE daily_balances b SET entries = b.entries + s.entries, debits = b.debits + s.debits,
                                    credits = b.credits + s.credits, used = b.used + s.used
        FROM day_sums s
        WHERE b.owner_id = ANY (ARRAY[s.owner_id]) AND b.account_id = ANY (ARRAY[s.account_id]) AND b.day = ANY (ARRAY[s.day])
        RETURNING b.owner_id, b.account_id, b.day
    ), day_opened AS (
        INSERT INTO daily_balances (owner_id, account_id, day, daily_id, entries, debits, credits, used)
        SELECT s.owner_id, s.account_id, s.day, to_char(s.day, 'DDMMYYYY'), s.entries, s.debits, s.credits, s.used
        FROM day_sums s
        WHERE (s.owner_id, s.account_id, s.day) NOT IN (SELECT owner_id, account_id, day FROM day_grown)
    ), balances AS (
        SELECT s.owner_id, s.seq, s.line, s.account_id,
               a.sign * t.balance - sum(s.change) OVER w
               + sum(s.change) OVER (w ORDER BY s.seq, s.line) AS balance
        FROM sides s
        JOIN (SELECT * FROM grown UNION ALL SELECT * FROM opened) t ON t.owner_id = s.owner_id AND t.account_id = s.account_id
        JOIN accounts a ON a.id = s.account_id
        WINDOW w AS (PARTITION BY s.owner_id, s.account_id)
    )
    INSERT INTO postings (owner_id, seq, line, ledger_id, booked_at, day, debit_account_id, credit_account_id, amount,
                          debit_balance, credit_balance, provider, wallet_balance)
    SELECT l.owner_id, l.seq, l.line, l.ledger_id, l.booked_at, l.day, l.debit_account_id, l.credit_account_id, l.amount,
           d.balance, c.balance, l.provider, l.wallet_balance
    FROM lines l
    LEFT JOIN balances d ON d.owner_id = l.owner_id AND d.seq = l.seq AND d.line = l.line AND d.account_id = l.debit_account_id
    LEFT JOIN balances c ON c.owner_id = l.owner_id AND c.seq = l.seq AND c.line = l.line AND c.account_id = l.credit_account_id;

    IF v_holds THEN
        INSERT INTO holds (owner_id, seq, ledger_id, amount, expires_at)
        SELECT h.owner_id, h.seq, h.ledger_id, h.amount, h.expires_at
        FROM unnest(p_owner, v_seq, p_ledger, p_amount, v_expires) h (owner_id, seq, ledger_id, amount, expires_at)
        WHERE h.seq IS NOT NULL AND h.expires_at IS NOT NULL;
        UPDATE holds h SET ended_seq = e.seq
        FROM unnest(p_owner, v_seq, p_hold) e (owner_id, seq, hold_seq)
        WHERE e.seq IS NOT NULL AND h.owner_id = ANY (ARRAY[e.owner_id]) AND h.seq = ANY (ARRAY[e.hold_seq]);
    END IF;

    RETURN QUERY SELECT * FROM unnest(v_status, v_code, v_shown, v_booked, v_day, v_limit, v_used, v_balance, v_held);
END $$;
