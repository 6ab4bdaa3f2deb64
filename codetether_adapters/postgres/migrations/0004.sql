-- Version 4: lists in the order of change, of a context's tasks and of those that somebody created.

ALTER TABLE tasks ADD COLUMN context TEXT COLLATE "C", ADD COLUMN created_by TEXT COLLATE "C",
    ADD COLUMN since BIGINT;              -- when it came into its state

-- A member of a task's body that is text. Within texts a quotation mark is escaped, so the first that is found is it.
CREATE FUNCTION said(body BYTEA, member TEXT) RETURNS TEXT LANGUAGE sql AS $$
    SELECT substring(convert_from(body, 'UTF8') FROM '"' || member || '": ?("(?:[^"\\]|\\.)*")')::json #>> '{}'
$$;

-- Whoever does not say since when a task is in its state has just brought it there, as far as is known.
CREATE FUNCTION since_of(body BYTEA) RETURNS BIGINT LANGUAGE sql AS $$
    SELECT (extract(epoch FROM coalesce(said(body, 'since'), said(body, 'updated_at'))::timestamptz) * 1000000)::bigint
$$;

UPDATE tasks SET created_by = said(body, 'created_by'), since = since_of(body);
ALTER TABLE tasks ALTER COLUMN created_by SET NOT NULL, ALTER COLUMN since SET NOT NULL;

-- Programs that knew nothing of these columns go on beside those that do, until a release from now.
CREATE FUNCTION describe() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.created_by := said(NEW.body, 'created_by');
    NEW.since := since_of(NEW.body);
    RETURN NEW;
END $$;
CREATE TRIGGER added_undescribed BEFORE INSERT ON tasks
    FOR EACH ROW WHEN (NEW.created_by IS NULL) EXECUTE FUNCTION describe();
CREATE TRIGGER moved_undescribed BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NEW.since = OLD.since) EXECUTE FUNCTION describe();

CREATE INDEX tasks_changed ON tasks (tenant, state, since DESC, id DESC);
CREATE INDEX tasks_of_creator_changed ON tasks (tenant, created_by, state, since DESC, id DESC);
CREATE INDEX tasks_of_context_best ON tasks (tenant, context, state, priority DESC, created, id)
    WHERE context IS NOT NULL;
CREATE INDEX tasks_of_context_newest ON tasks (tenant, context, state, created DESC, id DESC) WHERE context IS NOT NULL;
CREATE INDEX tasks_of_context_changed ON tasks (tenant, context, state, since DESC, id DESC) WHERE context IS NOT NULL;
