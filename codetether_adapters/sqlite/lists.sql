-- Version 3: lists in the order of change, of a context's tasks and of those that somebody created.

ALTER TABLE tasks ADD COLUMN context TEXT;
ALTER TABLE tasks ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN since INTEGER NOT NULL DEFAULT 0;  -- when it came into its state

-- Nobody wrote down when: the last change is the latest that it can have been.
UPDATE tasks SET
    created_by = json_extract(CAST(body AS TEXT), '$.created_by'),
    since = CAST(strftime('%s', substr(json_extract(CAST(body AS TEXT), '$.updated_at'), 1, 19)) AS INTEGER) * 1000000
        + CAST(substr(json_extract(CAST(body AS TEXT), '$.updated_at'), 21, 6) AS INTEGER);

CREATE INDEX tasks_changed ON tasks (tenant, state, since DESC, id DESC);
CREATE INDEX tasks_of_creator_changed ON tasks (tenant, created_by, state, since DESC, id DESC);
CREATE INDEX tasks_of_context_best ON tasks (tenant, context, state, priority DESC, created, id)
    WHERE context IS NOT NULL;
CREATE INDEX tasks_of_context_newest ON tasks (tenant, context, state, created DESC, id DESC) WHERE context IS NOT NULL;
CREATE INDEX tasks_of_context_changed ON tasks (tenant, context, state, since DESC, id DESC) WHERE context IS NOT NULL;
