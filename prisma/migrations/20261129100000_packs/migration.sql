-- A chunk may hold the contents of several small files: an extent says where in its chunk its bytes begin.
ALTER TABLE "extent" ADD COLUMN "chunk_offset" INTEGER NOT NULL DEFAULT 0 CHECK ("chunk_offset" >= 0);
