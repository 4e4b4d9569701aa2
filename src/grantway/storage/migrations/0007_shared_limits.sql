-- What all processes counted together. The keys are HMACs: they tell no address, no e-mail address and no client_id.
CREATE TABLE rate_counts (
    key BLOB NOT NULL,               -- of what is counted, and of its window
    process BLOB NOT NULL,
    number BIGINT NOT NULL,          -- how many this process counted
    ends_at BIGINT NOT NULL,         -- of the window, as microseconds since 1970 UTC
    PRIMARY KEY (key, process)
);
CREATE INDEX rate_counts_by_end ON rate_counts (ends_at);

-- What may be used up, and comes back one by one.
CREATE TABLE rate_allowances (
    key BLOB PRIMARY KEY,
    whole_at BIGINT NOT NULL         -- when all has come back, as microseconds since 1970 UTC
);
CREATE INDEX rate_allowances_by_end ON rate_allowances (whole_at);
