-- Fee rules: data with the time from which they hold. Never changed, never backdated.

CREATE OR REPLACE FUNCTION ledger.add_fee_rule(
    p_kind text, p_provider text, p_from timestamptz, p_fixed numeric, p_basis_points integer)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ledger, pg_temp
AS $$
BEGIN
    -- Alone with the running hour: no posting under way can have read the rules before this one.
    IF p_from < lock_running_hour() THEN
        RAISE EXCEPTION 'a fee rule holds from now on or later, not from %', p_from
            USING ERRCODE = 'DL005';
    END IF;
    INSERT INTO fee_rules (kind_id, provider, from_at, fixed, basis_points)
    SELECT k.id, p_provider, p_from, p_fixed, p_basis_points FROM entry_kinds k
    WHERE k.code = p_kind
      AND EXISTS (SELECT FROM pairs q WHERE q.kind_id = k.id AND q.role = 'fee')
      AND (p_basis_points = 0
           OR EXISTS (SELECT FROM pairs q WHERE q.kind_id = k.id AND q.role = 'converted'));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such fee on an entry of kind %', p_kind USING ERRCODE = 'DL006';
    END IF;
END $$;

-- The rule in force for an entry kind at p_at; no row where none is.
CREATE OR REPLACE FUNCTION ledger.fee_rule(p_kind_id smallint, p_at timestamptz)
RETURNS TABLE (fixed numeric, basis_points integer, provider text)
LANGUAGE sql STABLE
AS $$
    SELECT f.fixed, f.basis_points, f.provider FROM ledger.fee_rules f
    WHERE f.kind_id = p_kind_id AND f.from_at <= p_at
    ORDER BY f.from_at DESC LIMIT 1
$$;

-- A fixed part and basis points of p_base, rounded half up to the base unit, once.
CREATE OR REPLACE FUNCTION ledger.fee(p_fixed numeric, p_basis_points integer, p_base numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_fixed + CASE WHEN p_basis_points = 0 THEN 0
                      ELSE div(p_base * p_basis_points * 2 + 10000, 20000) END;
