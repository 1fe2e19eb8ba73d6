-- Names as people sort them: "9" before "10", accents and capitals beside their plain letters.
CREATE COLLATION IF NOT EXISTS "natural" (provider = icu, locale = 'und-u-kn-true');

-- CreateEnum
CREATE TYPE "node_health" AS ENUM ('up', 'slow', 'suspect', 'down');

-- CreateEnum
CREATE TYPE "node_intent" AS ENUM ('active', 'draining', 'maintenance', 'removed');

-- CreateEnum
CREATE TYPE "event_severity" AS ENUM ('info', 'warning', 'error');

-- CreateEnum
CREATE TYPE "chunk_state" AS ENUM ('live', 'condemned');

-- CreateEnum
CREATE TYPE "entry_kind" AS ENUM ('folder', 'file');

-- CreateEnum
CREATE TYPE "version_state" AS ENUM ('receiving', 'committed');

-- CreateEnum
CREATE TYPE "upload_state" AS ENUM ('receiving', 'complete', 'committed', 'failed');

-- CreateEnum
CREATE TYPE "upload_role" AS ENUM ('whole', 'partial', 'final');

-- CreateEnum
CREATE TYPE "conflict_policy" AS ENUM ('keep-both', 'replace', 'skip');

-- CreateTable
CREATE TABLE "cluster" (
    "singleton" BOOLEAN NOT NULL DEFAULT true,
    "id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cluster_pkey" PRIMARY KEY ("singleton")
);

-- CreateTable
CREATE TABLE "node" (
    "id" SMALLSERIAL NOT NULL,
    "identity" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "port" INTEGER NOT NULL,
    "zone" TEXT NOT NULL DEFAULT 'default',
    "mac" TEXT NOT NULL DEFAULT '',
    "version" TEXT NOT NULL DEFAULT '',
    "store" TEXT NOT NULL DEFAULT 'file',
    "boot_id" UUID NOT NULL,
    "heartbeat_seq" BIGINT NOT NULL DEFAULT 0,
    "health" "node_health" NOT NULL DEFAULT 'down',
    "health_reason" TEXT NOT NULL DEFAULT '',
    "health_changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "intent" "node_intent" NOT NULL DEFAULT 'active',
    "capacity_bytes" BIGINT NOT NULL DEFAULT 0,
    "free_bytes" BIGINT NOT NULL DEFAULT 0,
    "used_bytes" BIGINT NOT NULL DEFAULT 0,
    "chunk_count" BIGINT NOT NULL DEFAULT 0,
    "writable" BOOLEAN NOT NULL DEFAULT true,
    "last_seen_at" TIMESTAMPTZ(3),
    "registered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "node_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "node_sample" (
    "node_id" SMALLINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "capacity_bytes" BIGINT NOT NULL,
    "free_bytes" BIGINT NOT NULL,
    "used_bytes" BIGINT NOT NULL,
    "chunk_count" BIGINT NOT NULL,

    CONSTRAINT "node_sample_pkey" PRIMARY KEY ("node_id","at")
);

-- CreateTable
CREATE TABLE "event" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "severity" "event_severity" NOT NULL DEFAULT 'info',
    "kind" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "node_id" SMALLINT,
    "actor_id" TEXT,
    "data" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chunk" (
    "id" BYTEA NOT NULL,
    "length" INTEGER NOT NULL,
    "replicas" SMALLINT[],
    "state" "chunk_state" NOT NULL DEFAULT 'live',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chunk_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "extent" (
    "version_id" UUID NOT NULL,
    "offset" BIGINT NOT NULL,
    "length" INTEGER NOT NULL,
    "chunk_id" BYTEA NOT NULL,

    CONSTRAINT "extent_pkey" PRIMARY KEY ("version_id","offset")
);

-- CreateTable
CREATE TABLE "drive" (
    "id" UUID NOT NULL,
    "owner_id" TEXT NOT NULL,
    "used_bytes" BIGINT NOT NULL DEFAULT 0,
    "quota_bytes" BIGINT,

    CONSTRAINT "drive_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "entry" (
    "id" UUID NOT NULL,
    "drive_id" UUID NOT NULL,
    "parent_id" UUID,
    "kind" "entry_kind" NOT NULL,
    "name" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL DEFAULT 0,
    "media_type" TEXT NOT NULL DEFAULT '',
    "current_version_id" UUID,
    "trashed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "modified_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "version" (
    "id" UUID NOT NULL,
    "drive_id" UUID NOT NULL,
    "entry_id" UUID,
    "state" "version_state" NOT NULL DEFAULT 'receiving',
    "size_bytes" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "upload" (
    "id" UUID NOT NULL,
    "drive_id" UUID NOT NULL,
    "version_id" UUID NOT NULL,
    "role" "upload_role" NOT NULL DEFAULT 'whole',
    "state" "upload_state" NOT NULL DEFAULT 'receiving',
    "length" BIGINT,
    "offset" BIGINT NOT NULL DEFAULT 0,
    "parent_id" UUID,
    "name" TEXT NOT NULL DEFAULT '',
    "relative_path" TEXT NOT NULL DEFAULT '',
    "media_type" TEXT NOT NULL DEFAULT '',
    "conflict" "conflict_policy" NOT NULL DEFAULT 'keep-both',
    "metadata" TEXT NOT NULL DEFAULT '',
    "concat" TEXT NOT NULL DEFAULT '',
    "entry_id" UUID,
    "failure" TEXT,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "upload_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "user" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "image" TEXT,
    "role" TEXT,
    "banned" BOOLEAN DEFAULT false,
    "ban_reason" TEXT,
    "ban_expires" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session" (
    "id" TEXT NOT NULL,
    "token" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ip_address" TEXT,
    "user_agent" TEXT,
    "impersonated_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "account" (
    "id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "access_token" TEXT,
    "refresh_token" TEXT,
    "id_token" TEXT,
    "access_token_expires_at" TIMESTAMPTZ(3),
    "refresh_token_expires_at" TIMESTAMPTZ(3),
    "scope" TEXT,
    "password" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "account_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "verification" (
    "id" TEXT NOT NULL,
    "identifier" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "verification_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rate_limit" (
    "id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "last_request" BIGINT NOT NULL,

    CONSTRAINT "rate_limit_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "cluster_id_key" ON "cluster"("id");

-- CreateIndex
CREATE UNIQUE INDEX "node_identity_key" ON "node"("identity");

-- CreateIndex
CREATE UNIQUE INDEX "node_name_key" ON "node"("name");

-- CreateIndex
CREATE INDEX "node_sample_at_idx" ON "node_sample"("at");

-- CreateIndex
CREATE INDEX "event_at_idx" ON "event"("at");

-- CreateIndex
CREATE INDEX "chunk_replicas_idx" ON "chunk" USING GIN ("replicas");

-- CreateIndex
CREATE INDEX "extent_chunk_id_idx" ON "extent"("chunk_id");

-- CreateIndex
CREATE UNIQUE INDEX "drive_owner_id_key" ON "drive"("owner_id");

-- CreateIndex
CREATE UNIQUE INDEX "entry_current_version_id_key" ON "entry"("current_version_id");

-- CreateIndex
CREATE INDEX "entry_parent_id_kind_name_id_idx" ON "entry"("parent_id", "kind", "name" COLLATE "natural", "id") WHERE "trashed_at" IS NULL;

-- CreateIndex
CREATE INDEX "entry_parent_id_kind_modified_at_id_idx" ON "entry"("parent_id", "kind", "modified_at", "id") WHERE "trashed_at" IS NULL;

-- CreateIndex
CREATE INDEX "entry_parent_id_kind_size_bytes_id_idx" ON "entry"("parent_id", "kind", "size_bytes", "id") WHERE "trashed_at" IS NULL;

-- CreateIndex
CREATE INDEX "entry_drive_id_trashed_at_idx" ON "entry"("drive_id", "trashed_at");

-- CreateIndex
CREATE INDEX "version_entry_id_idx" ON "version"("entry_id");

-- CreateIndex
CREATE UNIQUE INDEX "upload_version_id_key" ON "upload"("version_id");

-- CreateIndex
CREATE INDEX "upload_state_expires_at_idx" ON "upload"("state", "expires_at");

-- CreateIndex
CREATE INDEX "upload_drive_id_idx" ON "upload"("drive_id");

-- CreateIndex
CREATE UNIQUE INDEX "user_email_key" ON "user"("email");

-- CreateIndex
CREATE UNIQUE INDEX "session_token_key" ON "session"("token");

-- CreateIndex
CREATE INDEX "session_user_id_idx" ON "session"("user_id");

-- CreateIndex
CREATE INDEX "account_user_id_idx" ON "account"("user_id");

-- CreateIndex
CREATE INDEX "verification_identifier_idx" ON "verification"("identifier");

-- CreateIndex
CREATE UNIQUE INDEX "rate_limit_key_key" ON "rate_limit"("key");

-- AddForeignKey
ALTER TABLE "node_sample" ADD CONSTRAINT "node_sample_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "node"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "extent" ADD CONSTRAINT "extent_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "version"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "extent" ADD CONSTRAINT "extent_chunk_id_fkey" FOREIGN KEY ("chunk_id") REFERENCES "chunk"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "drive" ADD CONSTRAINT "drive_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "entry" ADD CONSTRAINT "entry_drive_id_fkey" FOREIGN KEY ("drive_id") REFERENCES "drive"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "entry" ADD CONSTRAINT "entry_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "entry"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "entry" ADD CONSTRAINT "entry_current_version_id_fkey" FOREIGN KEY ("current_version_id") REFERENCES "version"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "version" ADD CONSTRAINT "version_drive_id_fkey" FOREIGN KEY ("drive_id") REFERENCES "drive"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "version" ADD CONSTRAINT "version_entry_id_fkey" FOREIGN KEY ("entry_id") REFERENCES "entry"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "upload" ADD CONSTRAINT "upload_drive_id_fkey" FOREIGN KEY ("drive_id") REFERENCES "drive"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "upload" ADD CONSTRAINT "upload_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "version"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "account" ADD CONSTRAINT "account_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema language cannot say.

-- Siblings outside the trash have distinct names; a drive has one root.
CREATE UNIQUE INDEX "entry_sibling_name_key" ON "entry"("parent_id", "name") WHERE "trashed_at" IS NULL AND "parent_id" IS NOT NULL;
CREATE UNIQUE INDEX "entry_root_key" ON "entry"("drive_id") WHERE "parent_id" IS NULL;

ALTER TABLE "cluster" ADD CONSTRAINT "cluster_singleton_check" CHECK ("singleton");
ALTER TABLE "chunk" ADD CONSTRAINT "chunk_id_check" CHECK (octet_length("id") = 32);
ALTER TABLE "chunk" ADD CONSTRAINT "chunk_length_check" CHECK ("length" > 0);
ALTER TABLE "chunk" ALTER COLUMN "replicas" SET NOT NULL;
ALTER TABLE "extent" ADD CONSTRAINT "extent_range_check" CHECK ("offset" >= 0 AND "length" > 0);
ALTER TABLE "drive" ADD CONSTRAINT "drive_used_bytes_check" CHECK ("used_bytes" >= 0);
ALTER TABLE "entry" ADD CONSTRAINT "entry_size_bytes_check" CHECK ("size_bytes" >= 0);
ALTER TABLE "entry" ADD CONSTRAINT "entry_folder_check" CHECK ("kind" = 'file' OR "current_version_id" IS NULL);
ALTER TABLE "entry" ADD CONSTRAINT "entry_root_trash_check" CHECK ("parent_id" IS NOT NULL OR "trashed_at" IS NULL);
ALTER TABLE "version" ADD CONSTRAINT "version_size_bytes_check" CHECK ("size_bytes" >= 0);
ALTER TABLE "version" ADD CONSTRAINT "version_entry_check" CHECK (("state" = 'committed') = ("entry_id" IS NOT NULL));
ALTER TABLE "upload" ADD CONSTRAINT "upload_offset_check" CHECK ("offset" >= 0 AND ("length" IS NULL OR "offset" <= "length"));
