-- Version 6: sessions that were erased, and do not come back.
CREATE TABLE erased_sessions (
    tenant TEXT COLLATE "C" NOT NULL,
    codebase TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, codebase, id)
);
CALL wall('erased_sessions');
