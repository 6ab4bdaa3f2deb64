-- Version 3: a second login. Whoever works for one tenant at a time may then be another one than who sees everybody's.
SET LOCAL search_path TO codetether;

-- That a session works on everybody's rows is for it to say only where its login has the role of the table's owner, the
-- keeper; else it may say what it likes.
CREATE OR REPLACE PROCEDURE wall(walled regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format($own$
        CREATE POLICY own ON %s USING (tenant = nullif(current_setting('codetether.tenant', TRUE), ''))
    $own$, walled);
    EXECUTE format($everybodys$
        CREATE POLICY everybodys ON %s TO %s USING (current_setting('codetether.everybody', TRUE) = 'on')
    $everybodys$, walled, (SELECT relowner::regrole FROM pg_catalog.pg_class WHERE oid = walled));
END $$;

DO $$
DECLARE
    walled record;
BEGIN
    FOR walled IN
        SELECT oid::regclass AS name, relowner::regrole AS owner FROM pg_catalog.pg_class
        WHERE relnamespace = 'codetether'::regnamespace AND relrowsecurity ORDER BY relname
    LOOP
        EXECUTE format('ALTER POLICY everybodys ON %s TO %s', walled.name, walled.owner);
    END LOOP;
END $$;

-- What another login is given: no table is its own, so no wall is its to pull down, and it may not truncate one either,
-- which no wall would stop.
CREATE PROCEDURE admit(login name) LANGUAGE plpgsql AS $$
DECLARE
    walled regclass;
BEGIN
    FOR walled IN
        SELECT oid FROM pg_catalog.pg_class
        WHERE relnamespace = 'codetether'::regnamespace AND relrowsecurity AND NOT (
            has_table_privilege(login, oid, 'SELECT') AND has_table_privilege(login, oid, 'INSERT')
            AND has_table_privilege(login, oid, 'UPDATE') AND has_table_privilege(login, oid, 'DELETE')
        )
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', walled, login);
    END LOOP;
    IF NOT has_table_privilege(login, 'meta', 'SELECT') THEN
        EXECUTE format('GRANT SELECT ON meta TO %I', login);
    END IF;
    IF NOT has_function_privilege(login, 'head()', 'EXECUTE') THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION head() TO %I', login);
    END IF;
    IF NOT has_sequence_privilege(login, 'turns', 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SEQUENCE turns TO %I', login);
    END IF;
    IF NOT has_schema_privilege(login, 'codetether', 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA codetether TO %I', login);
    END IF;
END $$;

-- What is of all tenants, and still for every login: the log's last position, and that something is due sooner. Both are
-- done in the keeper's name; a temporary table is no table of theirs.
CREATE FUNCTION head() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path TO codetether, pg_temp AS $$
DECLARE
    said text := current_setting('codetether.everybody', TRUE);
    last bigint;
BEGIN
    PERFORM set_config('codetether.everybody', 'on', TRUE);
    last := greatest((SELECT max(position) FROM events), (SELECT value::bigint FROM meta WHERE name = 'start'));
    PERFORM set_config('codetether.everybody', coalesce(said, ''), TRUE);
    RETURN last;
END $$;

ALTER FUNCTION expect() SECURITY DEFINER SET search_path TO codetether, pg_temp;

-- Nobody else attaches the one to a table whose types have casts of his own, which would run in the keeper's name. What
-- fires it needs no right to.
REVOKE EXECUTE ON FUNCTION expect(), head() FROM PUBLIC;
