-- How a client authenticates at the standard token endpoint (RFC 7591 section 2: token_endpoint_auth_method).
ALTER TABLE clients ADD COLUMN auth_method TEXT NOT NULL DEFAULT 'client_secret_jwt';

-- A request that one of our own pages made belongs to the browser session that it was made in. NULL: to the person.
ALTER TABLE requests ADD COLUMN session_digest BLOB;

-- What the person's passphrase opens, narrowed to the consent and sealed under the code, of which we keep only the digest.
-- Erased when the code is claimed or has ended.
ALTER TABLE codes ADD COLUMN sealed_opening BLOB;

-- A presented API key is found by the tails above its own: one of them is a consent's.
CREATE INDEX consents_by_tail ON consents (tail_digest) WHERE tail_digest IS NOT NULL;
