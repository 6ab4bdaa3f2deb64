-- Version 5: webhooks. `due` is when somebody is to begin to deliver.
CREATE TABLE webhooks (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    codebase TEXT COLLATE "C" NOT NULL,
    task TEXT COLLATE "C" NOT NULL,
    dead BOOLEAN NOT NULL,
    due BIGINT,
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, id)
);
CALL wall('webhooks');
CREATE INDEX webhooks_of_task ON webhooks (tenant, codebase, task, id);
CREATE INDEX webhooks_due ON webhooks (due, id) WHERE due IS NOT NULL;
CREATE INDEX webhooks_dead ON webhooks (tenant, id) WHERE dead;
