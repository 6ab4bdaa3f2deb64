-- Version 1. Moments are integer microseconds since 1970, bodies are JSON in UTF-8. Text is compared by code points.
-- Every key begins with the tenant, except a task's id, which is unique over all of them, and what is of no tenant.

-- An administrator may have made the schema, for a login that may not make one.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'codetether') THEN
        CREATE SCHEMA codetether;
    END IF;
END $$;
SET LOCAL search_path TO codetether;

CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE migrations (
    version INTEGER NOT NULL PRIMARY KEY,
    checksum TEXT NOT NULL,
    applied TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- The second wall between tenants; the first one is that every statement asks for a tenant's rows. A session says whose
-- rows it works on, or that it works on everybody's. One that says neither sees and writes nothing, whoever owns the
-- tables. A condition is decided by an index only if none of its functions could tell of a row that is not to be seen:
-- comparisons of numbers and text are such functions, hardly any other is.
CREATE PROCEDURE wall(walled regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format($own$
        CREATE POLICY own ON %s USING (tenant = nullif(current_setting('codetether.tenant', TRUE), ''))
    $own$, walled);
    EXECUTE format($everybodys$
        CREATE POLICY everybodys ON %s USING (current_setting('codetether.everybody', TRUE) = 'on')
    $everybodys$, walled);
END $$;

CREATE TABLE tasks (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    codebase TEXT COLLATE "C" NOT NULL,
    priority BIGINT NOT NULL,
    created BIGINT NOT NULL,
    version BIGINT NOT NULL,
    op TEXT COLLATE "C" NOT NULL,     -- the operation that wrote this version
    fence TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    ready BOOLEAN NOT NULL,
    queue BIGINT,                     -- the one that it waits in while it is ready
    worker TEXT COLLATE "C",          -- the last grant's
    due BIGINT,
    spec BYTEA NOT NULL,              -- what a client asked for; it never changes
    body BYTEA NOT NULL,              -- the rest
    rank BIGINT NOT NULL GENERATED ALWAYS AS (~priority) STORED -- the most urgent first
);
CALL wall('tasks');
CREATE INDEX tasks_ready ON tasks (queue, rank, created, id) WHERE ready;
CREATE INDEX tasks_due ON tasks (due, id) WHERE due IS NOT NULL;
CREATE INDEX tasks_best ON tasks (tenant, state, priority DESC, created, id);
CREATE INDEX tasks_newest ON tasks (tenant, state, created DESC, id DESC);
CREATE INDEX tasks_of_codebase_best ON tasks (tenant, codebase, state, priority DESC, created, id);
CREATE INDEX tasks_of_codebase_newest ON tasks (tenant, codebase, state, created DESC, id DESC);
CREATE INDEX tasks_of_worker ON tasks (tenant, worker, state) WHERE worker IS NOT NULL;

-- Every lane that a task was ever in; those in use have `queues`.
CREATE TABLE lanes (
    tenant TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, lane)
);
CALL wall('lanes');

-- A task that was claimed leaves a dead entry in `tasks_ready`, in front of those that wait, and no vacuum removes it
-- while anybody anywhere holds an older snapshot. So the tasks of a lane wait in a few queues, each of which knows a
-- `rank`, `created` and `id` that none of its tasks comes before; whoever looks for tasks begins there. From time
-- to time the queues move up. They are then written anew under a higher `turn`, and only the rows with a lane's highest
-- count: they are found in front of what they were before, which no vacuum may remove either.
CREATE TABLE queues (
    tenant TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    turn BIGINT NOT NULL,
    queue BIGINT NOT NULL,
    rank BIGINT NOT NULL,
    created BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL
);
CALL wall('queues');
CREATE UNIQUE INDEX queues_now ON queues (tenant, lane, turn DESC, queue);
CREATE SEQUENCE turns;                -- of queues and of their rows

-- A task that becomes ready waits in the queue that has moved up furthest of those it may join: the others begin after
-- it. If there is none, a new one is opened, which begins before everything.
CREATE FUNCTION enqueue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.queue := (
        SELECT queue FROM queues WHERE tenant = NEW.tenant AND lane = NEW.lane AND turn = (
            SELECT turn FROM queues WHERE tenant = NEW.tenant AND lane = NEW.lane ORDER BY turn DESC LIMIT 1
        ) AND (rank, created, id) <= (~NEW.priority, NEW.created, NEW.id)
        ORDER BY rank DESC, created DESC, id DESC LIMIT 1
    );
    IF NEW.queue IS NULL THEN
        NEW.queue := nextval('turns');
        INSERT INTO queues VALUES (
            NEW.tenant, NEW.lane, coalesce((
                SELECT turn FROM queues WHERE tenant = NEW.tenant AND lane = NEW.lane ORDER BY turn DESC LIMIT 1
            ), NEW.queue), NEW.queue, -9223372036854775808, -9223372036854775808, ''
        );
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER added_ready BEFORE INSERT ON tasks FOR EACH ROW WHEN (NEW.ready) EXECUTE FUNCTION enqueue();
CREATE TRIGGER became_ready BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (NEW.ready AND NOT OLD.ready) EXECUTE FUNCTION enqueue();

-- In the same way nothing is due before the `due` of the row with the highest `turn`.
CREATE TABLE due_from (turn BIGINT NOT NULL PRIMARY KEY, due BIGINT NOT NULL);

CREATE FUNCTION expect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.due < (SELECT due FROM due_from ORDER BY turn DESC LIMIT 1) THEN
        DELETE FROM due_from WHERE turn = (SELECT turn FROM due_from ORDER BY turn DESC LIMIT 1);
        INSERT INTO due_from VALUES (nextval('turns'), NEW.due);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER added_due BEFORE INSERT ON tasks FOR EACH ROW WHEN (NEW.due IS NOT NULL) EXECUTE FUNCTION expect();
CREATE TRIGGER due_sooner BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (NEW.due < OLD.due OR (OLD.due IS NULL AND NEW.due IS NOT NULL)) EXECUTE FUNCTION expect();

CREATE TABLE approvals (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    task TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, id)
);
CALL wall('approvals');
CREATE INDEX approvals_newest ON approvals (tenant, created DESC, id DESC);
CREATE INDEX approvals_of_task ON approvals (tenant, task, created DESC, id DESC);
CREATE INDEX approvals_in_state ON approvals (tenant, state, created DESC, id DESC);

-- The log. Positions are given out under a lock that is held until the commit, so they become visible in their order,
-- and never again: `start` in `meta` remembers what was trimmed.
CREATE TABLE events (
    position BIGINT NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CALL wall('events');
CREATE INDEX events_of_tenant ON events (tenant, position);
CREATE INDEX events_of_scope ON events (tenant, scope, position);
CREATE INDEX events_of_subject ON events (tenant, scope, subject, position, kind);

-- The last number given to each subject's events.
CREATE TABLE subjects (
    tenant TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant, scope, subject)
);
CALL wall('subjects');

-- The ordinal that the next event under a task's present grant is expected to have, and what was held back before it.
CREATE TABLE output_heads (
    tenant TEXT COLLATE "C" NOT NULL,
    task TEXT COLLATE "C" NOT NULL,
    "grant" TEXT COLLATE "C" NOT NULL,
    following BIGINT NOT NULL,
    held TEXT COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, task)
);
CALL wall('output_heads');

-- Codebases, workers and agents; `alias` is what must be unique besides the id.
CREATE TABLE records (
    tenant TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    alias TEXT COLLATE "C",
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);
CALL wall('records');
CREATE UNIQUE INDEX records_by_alias ON records (tenant, kind, alias) WHERE alias IS NOT NULL;

CREATE TABLE sessions (
    tenant TEXT COLLATE "C" NOT NULL,
    codebase TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    title TEXT COLLATE "C" NOT NULL,  -- casefolded, for searching
    quiet BIGINT,                     -- since when there are messages to file away
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, codebase, id)
);
CALL wall('sessions');
CREATE INDEX sessions_quiet ON sessions (quiet) WHERE quiet IS NOT NULL;
CREATE INDEX sessions_latest ON sessions (tenant, updated DESC, codebase DESC, id DESC);
CREATE INDEX sessions_of_codebase_latest ON sessions (tenant, codebase, updated DESC, id DESC);

CREATE TABLE session_messages (
    tenant TEXT COLLATE "C" NOT NULL,
    codebase TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, codebase, session, id)
);
CALL wall('session_messages');
CREATE INDEX session_messages_in_order ON session_messages (tenant, codebase, session, created, id);

CREATE TABLE messages (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    recipient TEXT COLLATE "C" NOT NULL,
    conversation TEXT COLLATE "C",
    sent BIGINT NOT NULL,
    queued BOOLEAN NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, id)
);
CALL wall('messages');
CREATE INDEX messages_in_order ON messages (tenant, sent, id);
CREATE INDEX messages_of_recipient ON messages (tenant, recipient, sent, id);
CREATE INDEX messages_of_conversation ON messages (tenant, conversation, sent, id) WHERE conversation IS NOT NULL;
CREATE INDEX messages_queued ON messages (tenant, recipient, sent, id) WHERE queued;
