-- Which brake held a run, so that an approval lifts that one alone.

-- AlterTable
ALTER TABLE "garbage_run" ADD COLUMN     "cause" TEXT NOT NULL DEFAULT '';
