-- 0: a confidential client that may ask without a PKCE challenge at the standard flow.
ALTER TABLE clients ADD COLUMN require_pkce BIGINT NOT NULL DEFAULT 1;

-- 1: the app sent the person to StorX's integration page.
ALTER TABLE requests ADD COLUMN from_integration BIGINT NOT NULL DEFAULT 0;

-- JWTs that stood in the URL of the integration page, by digest, until they have expired: no token request takes them.
CREATE TABLE exposed_assertions (
    digest BLOB PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX exposed_assertions_by_end ON exposed_assertions (expires_at);
