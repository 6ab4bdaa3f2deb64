-- Version 2: the audit trail.

-- How far each chain goes: records up to `start` were filed away.
CREATE TABLE audit_chains (
    tenant TEXT NOT NULL,
    chain TEXT NOT NULL,
    start INTEGER NOT NULL DEFAULT 0,
    last INTEGER NOT NULL,
    PRIMARY KEY (tenant, chain)
) WITHOUT ROWID;

CREATE TABLE audit (
    tenant TEXT NOT NULL,
    chain TEXT NOT NULL,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, chain, number)
) WITHOUT ROWID;
