-- Still: siblings outside the trash have distinct names. But the folder stands here in a form that no other index has. Whoever
-- looks for a name is then never led through all that is in a folder by an index that looked as good.
DROP INDEX "entry_sibling_name_key";
CREATE UNIQUE INDEX "entry_sibling_name_key" ON "entry" ((CASE WHEN "trashed_at" IS NULL THEN "parent_id" END), "name")
  WHERE (CASE WHEN "trashed_at" IS NULL THEN "parent_id" END) IS NOT NULL;
