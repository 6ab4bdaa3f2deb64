-- Version 2: the audit trail.

-- How far each chain goes: records up to `start` were filed away.
CREATE TABLE audit_chains (
    tenant TEXT COLLATE "C" NOT NULL,
    chain TEXT COLLATE "C" NOT NULL,
    start BIGINT NOT NULL DEFAULT 0,
    last BIGINT NOT NULL,
    PRIMARY KEY (tenant, chain)
);
CALL wall('audit_chains');

CREATE TABLE audit (
    tenant TEXT COLLATE "C" NOT NULL,
    chain TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, chain, number)
);
CALL wall('audit');
