-- The ledger clock, the hours and their locks.
-- Every booked_at and every "now" of Dreamland comes from ledger.clock().

-- The lock of one UTC hour: posters share it, whoever closes the hour takes it alone.
CREATE OR REPLACE FUNCTION ledger.hour_lock(p_at timestamptz) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN floor(extract(epoch FROM p_at) / 3600)::integer;

CREATE OR REPLACE FUNCTION ledger.hour_of(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_trunc('hour', p_at, 'UTC');

-- Wall time, moved by the shift that development and testing may set, and even when the machine's own
-- clock steps back never inside a closed hour nor before what the event feed has given out (mark()).
CREATE OR REPLACE FUNCTION ledger.clock() RETURNS timestamptz
LANGUAGE sql VOLATILE
SET search_path = ledger, pg_temp
AS $$
    SELECT greatest(clock_timestamp() + s.shift, timestamptz 'epoch' + f.last_value * interval '1 microsecond',
                    (SELECT max(h.hour) + interval '1 hour' FROM closed_hours h))
    FROM clock_shift s, clock_floor f
$$;

-- Answers the clock, which nobody will read earlier than that from now on. A sequence holds it: the one
-- value of a database that all see at once and that leaves no old row behind.
CREATE OR REPLACE FUNCTION ledger.mark() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
DECLARE
    v_now timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(3, 0);   -- a later mark must not be lowered by an earlier one
    v_now := ledger.clock();
    PERFORM setval('clock_floor', floor(extract(epoch FROM v_now) * 1000000)::bigint);
    RETURN v_now;
END $$;

-- The transactions that are posting: each took its hour's lock before it read the clock. Whoever asks
-- after a mark and waits until these are gone can read every entry booked before the mark.
CREATE OR REPLACE FUNCTION ledger.posters() RETURNS text[]
LANGUAGE sql VOLATILE
SET search_path = ledger, pg_temp
AS $$
    SELECT coalesce(array_agg(l.virtualtransaction), '{}')
    FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.classid = 1 AND l.mode = 'ShareLock' AND l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;

-- Waits until no posting of the running hour is under way and keeps new ones out until commit, those
-- of the next hour too: it may begin before the commit.
CREATE OR REPLACE FUNCTION ledger.lock_running_hour() RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = ledger, pg_temp
AS $$
DECLARE
    v_hour integer;
BEGIN
    LOOP
        v_hour := hour_lock(ledger.clock());
        PERFORM pg_advisory_xact_lock(1, v_hour), pg_advisory_xact_lock(1, v_hour + 1);
        EXIT WHEN v_hour = hour_lock(ledger.clock());   -- else the hour turned while waiting
    END LOOP;
    RETURN ledger.clock();
END $$;

-- Moves the clock forward, to the machine's own time where p_at is NULL; backwards only while the
-- books are empty (a seed starts days ago).
CREATE OR REPLACE FUNCTION ledger.set_clock(p_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
DECLARE
    v_now timestamptz := lock_running_hour();
BEGIN
    IF (SELECT fixed FROM clock_shift) THEN
        RAISE EXCEPTION 'the ledger clock of a production database is never moved' USING ERRCODE = 'DL001';
    END IF;
    IF coalesce(p_at, clock_timestamp()) < v_now AND (EXISTS (SELECT FROM entries) OR EXISTS (SELECT FROM closed_hours)) THEN
        RAISE EXCEPTION 'the ledger clock only moves forward: it is at %', v_now
            USING ERRCODE = 'DL001';
    END IF;
    IF coalesce(p_at, clock_timestamp()) < v_now THEN
        PERFORM setval('clock_floor', 0);
    END IF;
    UPDATE clock_shift SET shift = coalesce(make_interval(secs => extract(epoch FROM p_at - clock_timestamp())::float8),
                                            interval '0');
    RETURN ledger.clock();
END $$;

-- What production does at its boot: from then on nobody can move this database's clock.
CREATE OR REPLACE FUNCTION ledger.fix_clock() RETURNS interval
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
BEGIN
    UPDATE clock_shift SET fixed = true WHERE shift = interval '0' AND NOT fixed;
    RETURN (SELECT shift FROM clock_shift);
END $$;

-- Closes the books of a UTC month, for ever: no entry is dated in it any more. One that is not over only
-- on purpose (p_running): then nothing at all is booked until the next one begins. Answers false when
-- it was closed before.
CREATE OR REPLACE FUNCTION ledger.close_period(p_month date, p_running boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
DECLARE
    v_today date := (lock_running_hour() AT TIME ZONE 'UTC')::date;
BEGIN
    IF p_month > v_today OR p_month + interval '1 month' > v_today AND NOT p_running THEN
        RAISE EXCEPTION 'the month of % is not over', p_month USING ERRCODE = 'DL014';
    END IF;
    INSERT INTO closed_periods (month, closed_at) VALUES (p_month, ledger.clock()) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- Whether an entry booked now would be dated in a closed period. A conversion is not refused one by one:
-- its hour waits as a whole.
CREATE OR REPLACE FUNCTION ledger.is_period_closed(p_now timestamptz, p_converts boolean) RETURNS boolean
LANGUAGE plpgsql
SET search_path = ledger, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM closed_periods c WHERE c.month = date_trunc('month', p_now AT TIME ZONE 'UTC')::date) THEN
        RETURN false;
    ELSIF p_converts THEN
        RAISE EXCEPTION 'the period is closed' USING ERRCODE = 'DL013';
    END IF;
    RETURN true;
END $$;
