-- What has been in the trash for long, found without a look at every entry.
CREATE INDEX "entry_trashed_at_idx" ON "entry"("trashed_at") WHERE "trashed_at" IS NOT NULL;
