-- What is in the trash still has a parent: deleting a tree looks for it, and so does every check of the foreign key.
-- CreateIndex
CREATE INDEX "entry_parent_id_idx" ON "entry"("parent_id");
