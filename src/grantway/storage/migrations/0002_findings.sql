-- What was found out about each answer to an app. `developer_id` may see it; NULL: only the operator.
CREATE TABLE findings (
    trace_id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    cause TEXT NOT NULL,             -- empty: granted
    client_row_id TEXT NOT NULL,     -- empty: no client's
    developer_id TEXT,
    seen BIGINT NOT NULL,            -- how many answers it stands for
    finding TEXT NOT NULL            -- all of it, as JSON
);
CREATE INDEX findings_of_developer ON findings (developer_id, at, trace_id);
CREATE INDEX findings_of_client ON findings (client_row_id, cause, at, trace_id);
CREATE INDEX findings_by_time ON findings (at, trace_id);

-- The trace_id of the request that claimed the code.
ALTER TABLE codes ADD COLUMN claimed_in TEXT;

-- SHA-256 of the secret as it was handed out or taken over: tells whether what is stored is what its developer holds.
ALTER TABLE client_secrets ADD COLUMN handed_out_digest BLOB;
