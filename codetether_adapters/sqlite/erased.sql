-- Version 5: sessions that were erased, and do not come back.

CREATE TABLE erased_sessions (
    tenant TEXT NOT NULL,
    codebase TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (tenant, codebase, id)
) WITHOUT ROWID;
