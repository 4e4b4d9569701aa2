-- 1: whoever sent it has a secret of the client's, or had. Strangers' findings and the app's own have quotas apart.
ALTER TABLE findings ADD COLUMN proved BIGINT NOT NULL DEFAULT 0;

-- Whose share of its quota a finding takes: a keyed digest of the JWT or of the network that it came from. Of what was kept before
-- nobody knows; each is then its own.
ALTER TABLE findings ADD COLUMN source TEXT NOT NULL DEFAULT '';
UPDATE findings SET source = trace_id WHERE cause <> '';
