-- Version 1. Moments are integer microseconds since 1970, bodies are JSON. One program owns the file at a time.

CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID;

-- What a client asked for is written once; a swap rewrites the row of `tasks` only.
CREATE TABLE task_specs (id TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    lane TEXT NOT NULL,
    codebase TEXT NOT NULL,
    priority INTEGER NOT NULL,
    created INTEGER NOT NULL,
    version INTEGER NOT NULL,
    op TEXT NOT NULL,            -- the operation that wrote this version
    fence TEXT NOT NULL,
    state TEXT NOT NULL,
    ready INTEGER NOT NULL,
    worker TEXT,                 -- the last grant's
    due INTEGER,
    body BLOB NOT NULL
);
CREATE INDEX tasks_ready ON tasks (tenant, lane, priority DESC, created, id) WHERE ready;
CREATE INDEX tasks_due ON tasks (due, id) WHERE due IS NOT NULL;
CREATE INDEX tasks_best ON tasks (tenant, state, priority DESC, created, id);
CREATE INDEX tasks_newest ON tasks (tenant, state, created DESC, id DESC);
CREATE INDEX tasks_of_codebase_best ON tasks (tenant, codebase, state, priority DESC, created, id);
CREATE INDEX tasks_of_codebase_newest ON tasks (tenant, codebase, state, created DESC, id DESC);
CREATE INDEX tasks_of_worker ON tasks (tenant, worker, state) WHERE worker IS NOT NULL;

-- Every lane that a task was ever in; which of them are ready now is read off the index `tasks_ready`.
CREATE TABLE lanes (lane TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE approvals (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    task TEXT NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX approvals_newest ON approvals (tenant, created DESC, id DESC);
CREATE INDEX approvals_of_task ON approvals (tenant, task, created DESC, id DESC);
CREATE INDEX approvals_in_state ON approvals (tenant, state, created DESC, id DESC);

-- The log. Positions are given out by the writer and never again, for `meta.start` remembers what was trimmed.
CREATE TABLE events (
    position INTEGER NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX events_of_tenant ON events (tenant, position);
CREATE INDEX events_of_scope ON events (tenant, scope, position);
CREATE INDEX events_of_subject ON events (tenant, scope, subject, position, kind);

-- The last number given to each subject's events.
CREATE TABLE subjects (
    tenant TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (tenant, scope, subject)
) WITHOUT ROWID;

-- The ordinal that the next event under a task's present grant is expected to have, and what was held back before it.
CREATE TABLE output_heads (
    task TEXT NOT NULL PRIMARY KEY,
    "grant" TEXT NOT NULL,
    following INTEGER NOT NULL,
    held TEXT NOT NULL
) WITHOUT ROWID;

-- Codebases, workers and agents; `alias` is what must be unique besides the id.
CREATE TABLE records (
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    alias TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, tenant, id)
);
CREATE UNIQUE INDEX records_by_alias ON records (kind, tenant, alias) WHERE alias IS NOT NULL;

CREATE TABLE sessions (
    tenant TEXT NOT NULL,
    codebase TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    title TEXT NOT NULL,         -- casefolded, for searching
    quiet INTEGER,               -- since when there are messages to file away
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, codebase, id)
);
CREATE INDEX sessions_quiet ON sessions (quiet) WHERE quiet IS NOT NULL;
CREATE INDEX sessions_latest ON sessions (tenant, updated DESC, codebase DESC, id DESC);
CREATE INDEX sessions_of_codebase_latest ON sessions (tenant, codebase, updated DESC, id DESC);

CREATE TABLE session_messages (
    tenant TEXT NOT NULL,
    codebase TEXT NOT NULL,
    session TEXT NOT NULL,
    id TEXT NOT NULL,
    created INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, codebase, session, id)
);
CREATE INDEX session_messages_in_order ON session_messages (tenant, codebase, session, created, id);

CREATE TABLE messages (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    conversation TEXT,
    sent INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX messages_in_order ON messages (tenant, sent, id);
CREATE INDEX messages_of_recipient ON messages (tenant, recipient, sent, id);
CREATE INDEX messages_of_conversation ON messages (tenant, conversation, sent, id) WHERE conversation IS NOT NULL;
CREATE INDEX messages_queued ON messages (tenant, recipient, sent, id) WHERE queued;
