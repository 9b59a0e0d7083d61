-- Closed hours and their totals: what makes a trial balance of any time cost accounts and hours, not postings.

-- Closes an hour: waits for every posting of that hour, then adds it up: the totals of each account until its
-- end, what it booked for earlier accounting dates, and its fees. Answers false when it was closed before.
CREATE OR REPLACE FUNCTION ledger.close_hour(p_hour timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
DECLARE
    v_end  timestamptz := p_hour + interval '1 hour';
    v_last timestamptz;
BEGIN
    IF p_hour <> hour_of(p_hour) OR v_end > ledger.clock() THEN
        RAISE EXCEPTION 'hour % is not over', p_hour USING ERRCODE = 'DL002';
    END IF;
    PERFORM pg_advisory_xact_lock(1, hour_lock(p_hour));
    v_last := (SELECT max(hour) FROM closed_hours);
    IF p_hour <= v_last THEN
        RETURN false;
    ELSIF p_hour > v_last + interval '1 hour'
       OR v_last IS NULL AND EXISTS (SELECT FROM entries WHERE booked_at < p_hour) THEN
        RAISE EXCEPTION 'hour % is not the next to close', p_hour USING ERRCODE = 'DL003';
    END IF;
    INSERT INTO closed_hours (hour, closed_at) VALUES (p_hour, clock_timestamp());
    INSERT INTO closed_totals (hour, account_id, debits, credits)
    SELECT p_hour, s.account_id, s.debits + coalesce(c.debits, 0), s.credits + coalesce(c.credits, 0)
    FROM booked_between(p_hour, v_end) s
    LEFT JOIN LATERAL (SELECT t.debits, t.credits FROM closed_totals t
                       WHERE t.account_id = s.account_id AND t.hour < p_hour
                       ORDER BY t.hour DESC LIMIT 1) c ON true;
    INSERT INTO late_totals (hour, account_id, accounting_date, debits, credits)
    SELECT p_hour, l.account_id, l.accounting_date, l.debits, l.credits FROM late_between(p_hour, v_end) l;
    INSERT INTO fee_totals (hour, kind_id, debit_account_id, credit_account_id, region, accounting_date, provider, game, entries, amount)
    SELECT p_hour, f.kind_id, f.debit_account_id, f.credit_account_id, f.region, f.accounting_date, f.provider, f.game,
           f.entries, f.amount
    FROM fees_between(p_hour, v_end) f;
    RETURN true;
END $$;

-- Debits and credits by account of what was booked in [p_from, p_to).
CREATE OR REPLACE FUNCTION ledger.booked_between(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (account_id smallint, debits numeric, credits numeric)
LANGUAGE sql STABLE
SET search_path = ledger, pg_temp
AS $$
    WITH pairs AS MATERIALIZED (
        SELECT debit_account_id, credit_account_id, sum(amount) AS amount
        FROM postings WHERE p_from < p_to AND booked_at >= p_from AND booked_at < p_to GROUP BY 1, 2)
    SELECT s.account_id, sum(s.debits), sum(s.credits)
    FROM (SELECT debit_account_id AS account_id, amount AS debits, 0 AS credits FROM pairs
          UNION ALL
          SELECT credit_account_id, 0, amount FROM pairs) s
    GROUP BY s.account_id
$$;

-- The same of what was booked in [p_from, p_to) for an accounting date before the UTC date of its booking, by date.
CREATE OR REPLACE FUNCTION ledger.late_between(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (hour timestamptz, account_id smallint, accounting_date date, debits numeric, credits numeric)
LANGUAGE sql STABLE
SET search_path = ledger, pg_temp
AS $$
    SELECT hour_of(p.booked_at), s.account_id, e.accounting_date, sum(s.debit), sum(s.credit)
    FROM entries e
    JOIN postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
    CROSS JOIN LATERAL (VALUES (p.debit_account_id, p.amount, 0::numeric), (p.credit_account_id, 0, p.amount))
        s (account_id, debit, credit)
    WHERE e.booked_at >= p_from AND e.booked_at < p_to AND e.accounting_date < (e.booked_at AT TIME ZONE 'UTC')::date
    GROUP BY 1, 2, 3
$$;

-- What was booked in [p_from, p_to) in the ledger of fees, by all that finance asks for it by.
CREATE OR REPLACE FUNCTION ledger.fees_between(p_from timestamptz, p_to timestamptz)
RETURNS TABLE (hour timestamptz, kind_id smallint, debit_account_id smallint, credit_account_id smallint, region smallint,
               accounting_date date, provider text, game text, entries bigint, amount numeric)
LANGUAGE sql STABLE
SET search_path = ledger, pg_temp
AS $$
    SELECT hour_of(p.booked_at), e.kind_id, p.debit_account_id, p.credit_account_id, (p.owner_id >> 48)::smallint,
           e.accounting_date, coalesce(p.provider, ''), coalesce(e.game, ''), count(*), sum(p.amount)
    FROM postings p
    JOIN entries e ON e.owner_id = p.owner_id AND e.seq = p.seq AND e.booked_at >= p_from AND e.booked_at < p_to
    WHERE p.ledger_id = 3 AND p.booked_at >= p_from AND p.booked_at < p_to
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
$$;

-- The end of the last hour that is closed, minus infinity where none is.
CREATE OR REPLACE FUNCTION ledger.closed_until() RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = ledger, pg_temp
AS $$
    SELECT coalesce(max(hour) + interval '1 hour', '-infinity') FROM closed_hours
$$;

-- Debits and credits by account of all that was booked before p_end. In a closed hour what is nearer is read: what
-- was booked since its beginning, or until its end; after the last one the tail is added live.
CREATE OR REPLACE FUNCTION ledger.totals_before(p_end timestamptz)
RETURNS TABLE (account_id smallint, debits numeric, credits numeric)
LANGUAGE plpgsql STABLE
SET search_path = ledger, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_hour timestamptz := (SELECT max(hour) FROM closed_hours WHERE hour <= p_end - interval '1 hour');
    v_from timestamptz := coalesce(v_hour + interval '1 hour', '-infinity');
    v_to   timestamptz := p_end;
    v_sign integer := 1;
BEGIN
    IF v_from < p_end - interval '30 minutes' AND EXISTS (SELECT FROM closed_hours WHERE hour = v_from) THEN
        v_hour := v_from;
        v_from := p_end;
        v_to := v_hour + interval '1 hour';
        v_sign := -1;
    END IF;
    RETURN QUERY
    SELECT a.id, coalesce(t.debits, 0) + v_sign * coalesce(b.debits, 0),
           coalesce(t.credits, 0) + v_sign * coalesce(b.credits, 0)
    FROM accounts a
    LEFT JOIN LATERAL (SELECT c.debits, c.credits FROM closed_totals c
                       WHERE c.account_id = a.id AND c.hour <= v_hour ORDER BY c.hour DESC LIMIT 1) t ON true
    LEFT JOIN booked_between(v_from, v_to) b ON b.account_id = a.id;
END $$;

-- The same of all that has an accounting date before p_date, whenever it was booked: that is all that was booked
-- before that day began, and what was booked later for an earlier date.
CREATE OR REPLACE FUNCTION ledger.totals_dated_before(p_date date)
RETURNS TABLE (account_id smallint, debits numeric, credits numeric)
LANGUAGE sql STABLE
SET search_path = ledger, pg_temp
AS $$
    SELECT b.account_id, b.debits + coalesce(l.debits, 0), b.credits + coalesce(l.credits, 0)
    FROM totals_before(p_date::timestamp AT TIME ZONE 'UTC') b
    LEFT JOIN (SELECT s.account_id, sum(s.debits) AS debits, sum(s.credits) AS credits
               FROM late('-infinity', p_date) s
               WHERE s.hour >= p_date::timestamp AT TIME ZONE 'UTC'
               GROUP BY s.account_id) l ON l.account_id = b.account_id
$$;

-- What was booked for an accounting date in [p_first, p_before) on a later day, by the hour of booking.
CREATE OR REPLACE FUNCTION ledger.late(p_first date, p_before date)
RETURNS TABLE (hour timestamptz, account_id smallint, accounting_date date, debits numeric, credits numeric)
LANGUAGE sql STABLE
SET search_path = ledger, pg_temp
AS $$
    SELECT t.hour, t.account_id, t.accounting_date, t.debits, t.credits FROM late_totals t
    WHERE t.accounting_date >= p_first AND t.accounting_date < p_before
    UNION ALL
    SELECT l.* FROM late_between(closed_until(), 'infinity') l
    WHERE l.accounting_date >= p_first AND l.accounting_date < p_before
$$;

-- Debits and credits of an account by the hour of booking, of what was booked in [p_from, p_to): of closed hours
-- from their totals, of what is cut off one, or is not closed yet, from the postings.
CREATE OR REPLACE FUNCTION ledger.account_hours(p_account smallint, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (hour timestamptz, debits numeric, credits numeric)
LANGUAGE plpgsql STABLE
SET search_path = ledger, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_first timestamptz := CASE WHEN p_from = hour_of(p_from) THEN p_from ELSE hour_of(p_from) + interval '1 hour' END;
    v_last  timestamptz := least(hour_of(p_to), closed_until());   -- whole closed hours are [v_first, v_last)
BEGIN
    v_last := greatest(v_last, v_first);
    RETURN QUERY
    SELECT * FROM (
        SELECT t.hour, t.debits - lag(t.debits, 1, 0::numeric) OVER w, t.credits - lag(t.credits, 1, 0::numeric) OVER w
        FROM closed_totals t
        WHERE t.account_id = p_account AND t.hour < v_last
          AND t.hour >= coalesce((SELECT max(c.hour) FROM closed_totals c
                                  WHERE c.account_id = p_account AND c.hour < v_first), '-infinity')
        WINDOW w AS (ORDER BY t.hour)
    ) closed (hour, debits, credits) WHERE closed.hour >= v_first
    UNION ALL
    SELECT hour_of(p.booked_at), coalesce(sum(p.amount) FILTER (WHERE p.debit_account_id = p_account), 0),
           coalesce(sum(p.amount) FILTER (WHERE p.credit_account_id = p_account), 0)
    FROM (SELECT * FROM postings WHERE booked_at >= p_from AND booked_at < least(v_first, p_to)
          UNION ALL
          SELECT * FROM postings WHERE booked_at >= v_last AND booked_at < p_to) p
    WHERE p_account IN (p.debit_account_id, p.credit_account_id)
    GROUP BY 1;
END $$;
