-- When the password was given once more in a session, for what cannot be undone.

-- AlterTable
ALTER TABLE "session" ADD COLUMN     "confirmed_at" TIMESTAMPTZ(3);
