-- Every small file makes a row here that stays for days, so each index answers a question that is really asked.

-- What the sweeper looks for every few seconds, not all that is in a state.
DROP INDEX "upload_state_expires_at_idx";
CREATE INDEX "upload_expiring" ON "upload" ("expires_at") WHERE "state" <> 'complete' OR "role" = 'partial';
CREATE INDEX "upload_unplaced" ON "upload" ("updated_at") WHERE "state" = 'complete' AND "role" <> 'partial';
-- Of a drive, only open uploads and concatenations are asked for. Deleting a whole drive may look at them all.
DROP INDEX "upload_drive_id_idx";
CREATE INDEX "upload_final" ON "upload" ("drive_id") WHERE "role" = 'final';
