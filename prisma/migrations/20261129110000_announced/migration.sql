-- A file that came whole with its announcement leaves no upload behind: what was announced is kept with its version.
ALTER TABLE "version" ADD COLUMN "announced" TEXT;
