-- Users that an administrator shut out, and sessions that their user ended from another device.
ALTER TABLE app_user ADD COLUMN disabled_at timestamptz;

ALTER TABLE session DROP CONSTRAINT session_revoke_reason_check;
ALTER TABLE session ADD CONSTRAINT session_revoke_reason_check
    CHECK (revoke_reason IN ('LOGOUT', 'EVERYWHERE', 'PASSWORD', 'REUSE', 'ENDED', 'DISABLED'));
-- What ended lately is told to every service with the signing keys.
CREATE INDEX session_revoked_at ON session (revoked_at) WHERE revoked_at IS NOT NULL;
