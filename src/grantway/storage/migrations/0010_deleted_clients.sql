-- The deletion of a client rejects what it asked for and nobody has answered: found here, without a look at what others ask.
CREATE INDEX requests_unanswered_of_client ON requests (client_row_id) WHERE status = 'pending';

-- Before, an approval that met the deletion of its client or of its person could outlive it. What it left is ended.
UPDATE requests SET status = 'rejected' WHERE status = 'pending' AND (
    EXISTS (SELECT 1 FROM clients WHERE clients.row_id = requests.client_row_id AND clients.deleted_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM accounts WHERE accounts.id = requests.user_id AND accounts.deleted_at IS NOT NULL));
INSERT INTO revoked_tails (tail_digest, revoked_at, reason, keep_until)
    SELECT consents.tail_digest, coalesce(clients.deleted_at, accounts.deleted_at),
    CASE WHEN clients.deleted_at IS NULL THEN 'account_deleted' ELSE 'client_deleted' END, consents.not_after
    FROM consents JOIN clients ON clients.row_id = consents.client_row_id JOIN accounts ON accounts.id = consents.user_id
    WHERE consents.withdrawn_at IS NULL AND consents.tail_digest IS NOT NULL
    AND (clients.deleted_at IS NOT NULL OR accounts.deleted_at IS NOT NULL) ON CONFLICT DO NOTHING;
UPDATE consents SET withdrawn_at = (SELECT coalesce(clients.deleted_at, accounts.deleted_at) FROM clients, accounts
    WHERE clients.row_id = consents.client_row_id AND accounts.id = consents.user_id)
    WHERE withdrawn_at IS NULL AND (
    EXISTS (SELECT 1 FROM clients WHERE clients.row_id = consents.client_row_id AND clients.deleted_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM accounts WHERE accounts.id = consents.user_id AND accounts.deleted_at IS NOT NULL));
