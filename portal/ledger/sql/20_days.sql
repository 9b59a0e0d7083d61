-- Whose day it is: the one place that turns an instant into a user's local date.

CREATE OR REPLACE FUNCTION ledger.zone_of(p_owner_id bigint, p_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT z.zone FROM ledger.owner_zones z
    WHERE z.owner_id = p_owner_id AND z.from_at <= p_at
    ORDER BY z.from_at DESC LIMIT 1
$$;

-- A function that returns a table, as the planner inlines those.
CREATE OR REPLACE FUNCTION ledger.local_day(p_owner_id bigint, p_at timestamptz) RETURNS TABLE (day date)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT (p_at AT TIME ZONE z.zone)::date FROM ledger.owner_zones z
    WHERE z.owner_id = p_owner_id AND z.from_at <= p_at
    ORDER BY z.from_at DESC LIMIT 1
$$;

-- The first instant after the local date that holds p_at, in that zone.
CREATE OR REPLACE FUNCTION ledger.day_end(p_owner_id bigint, p_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
    SELECT (((p_at AT TIME ZONE z) :: date + 1)::timestamp AT TIME ZONE z)
    FROM ledger.zone_of(p_owner_id, p_at) z
$$;

-- What all reads of a user depend on, as one text that never comes back: every entry moves last_seq on;
-- beside it the day and zone by the clock, and which assets there are. NULL where there is no such user.
CREATE OR REPLACE FUNCTION ledger.version_of(p_owner_id bigint) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    v_now timestamptz := ledger.clock();
    v_seq bigint;
BEGIN
    SELECT o.last_seq INTO v_seq FROM ledger.owners o WHERE o.owner_id = p_owner_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN concat_ws(' ', v_seq, (SELECT d.day FROM ledger.local_day(p_owner_id, v_now) d),
                     ledger.zone_of(p_owner_id, v_now), (SELECT max(l.id) FROM ledger.ledgers l));
END $$;

CREATE OR REPLACE FUNCTION ledger.open_owner(p_owner_id bigint, p_zone text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
BEGIN
    INSERT INTO owners (owner_id) VALUES (p_owner_id);
    INSERT INTO owner_zones (owner_id, from_at, zone) VALUES (p_owner_id, '-infinity', p_zone);
END $$;

-- A change starts when the current local day ends, as no stored win may find itself on another
-- date: the day in question is that of the latest instant a win may carry (p_ahead from now).
-- At most one change in p_spacing, so that moving about opens no day a second time.
CREATE OR REPLACE FUNCTION ledger.change_zone(p_owner_id bigint, p_zone text, p_ahead interval, p_spacing interval)
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
DECLARE
    v_now    timestamptz;
    v_latest owner_zones;
    v_from   timestamptz;
BEGIN
    PERFORM FROM owners WHERE owner_id = p_owner_id FOR NO KEY UPDATE;
    v_now := ledger.clock();
    SELECT * INTO STRICT v_latest FROM owner_zones
    WHERE owner_id = p_owner_id ORDER BY from_at DESC LIMIT 1;
    IF v_latest.zone = p_zone THEN
        RETURN v_latest.from_at;
    ELSIF v_latest.from_at > v_now - p_spacing THEN
        RAISE EXCEPTION 'the time zone was changed with effect from %', v_latest.from_at
            USING ERRCODE = 'DL004', DETAIL = (v_latest.from_at + p_spacing)::text;
    END IF;
    v_from := day_end(p_owner_id, v_now + p_ahead);
    INSERT INTO owner_zones (owner_id, from_at, zone) VALUES (p_owner_id, v_from, p_zone);
    RETURN v_from;
END $$;
