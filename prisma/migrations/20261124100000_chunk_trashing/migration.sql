-- From when on a copy of a condemned chunk counts again.

-- AlterTable
ALTER TABLE "chunk" ADD COLUMN     "trashing_until" TIMESTAMPTZ(3);
