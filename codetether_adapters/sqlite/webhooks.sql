CREATE TABLE webhooks (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    codebase TEXT NOT NULL,
    task TEXT NOT NULL,
    dead INTEGER NOT NULL,
    due INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX webhooks_of_task ON webhooks (tenant, codebase, task, id);
CREATE INDEX webhooks_due ON webhooks (due, id) WHERE due IS NOT NULL;
CREATE INDEX webhooks_dead ON webhooks (tenant, id) WHERE dead;
