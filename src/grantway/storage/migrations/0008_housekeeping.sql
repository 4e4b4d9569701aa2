-- Whose turn a piece of work is that one process does for all: whoever claims it has it until `ends_at`.
CREATE TABLE turns (
    work TEXT PRIMARY KEY,
    ends_at BIGINT NOT NULL
);
INSERT INTO turns (work, ends_at) VALUES ('housekeeping', 0);

-- When the last key below a revoked tail has ended by its own caveats: the end of the consent that stands above it. No consent was ever
-- longer than 365 days, so for what was revoked before this was kept 366 days are enough. What a program stores that does not know of it is
-- kept for good.
ALTER TABLE revoked_tails ADD COLUMN keep_until BIGINT NOT NULL DEFAULT 9223372036854775807;
UPDATE revoked_tails SET keep_until = revoked_at + 31622400000000;
CREATE INDEX revoked_tails_by_end ON revoked_tails (keep_until);

-- What has ended is found here, the longest ended first.
CREATE INDEX consents_by_end ON consents (not_after);
CREATE INDEX requests_rejected ON requests (expires_at) WHERE status = 'rejected';
CREATE INDEX codes_with_opening ON codes (expires_at) WHERE sealed_opening IS NOT NULL;

-- A diagnosis and a start look at the newest clients only.
CREATE INDEX clients_by_age ON clients (created_at) WHERE deleted_at IS NULL;
