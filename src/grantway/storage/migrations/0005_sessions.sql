-- Where a session was opened (`page` or `api`; empty: before this was kept), and which browser said it was: a name from our own list.
ALTER TABLE sessions ADD COLUMN opened_from TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT '';

-- When the person answered. NULL: not yet, or before this was kept.
ALTER TABLE requests ADD COLUMN answered_at BIGINT;

-- Opening a consent page leaves a request: those that nobody answered are found here, and go.
CREATE INDEX requests_unanswered ON requests (expires_at) WHERE status = 'pending';
