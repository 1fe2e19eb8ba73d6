-- Leadership, healing and garbage collection.

-- CreateEnum
CREATE TYPE "work_state" AS ENUM ('waiting', 'running', 'paused', 'blocked', 'done', 'cancelled');

-- CreateEnum
CREATE TYPE "rebalance_kind" AS ENUM ('spread', 'drain', 'remove');

-- CreateEnum
CREATE TYPE "garbage_run_state" AS ENUM ('done', 'braked', 'approved');

-- AlterTable
ALTER TABLE "cluster" ADD COLUMN     "healing_bytes_per_sec" BIGINT,
ADD COLUMN     "healing_paused" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "placement_policy" TEXT NOT NULL DEFAULT 'rendezvous',
ADD COLUMN     "replicas" INTEGER;

-- AlterTable
ALTER TABLE "node" ADD COLUMN     "corrupt_chunks" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "device" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "disk_errors" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "grpc_port" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "inventoried_at" TIMESTAMPTZ(3),
ADD COLUMN     "maintenance_until" TIMESTAMPTZ(3),
ADD COLUMN     "read_latency_ms" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "scrub_progress" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "scrubbed_at" TIMESTAMPTZ(3),
ADD COLUMN     "weight" DOUBLE PRECISION NOT NULL DEFAULT 1,
ADD COLUMN     "write_latency_ms" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "write_refusal" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "chunk" ADD COLUMN     "condemned_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "lease" (
    "role" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "holder_id" UUID NOT NULL,
    "holder_name" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "lease_pkey" PRIMARY KEY ("role")
);

-- CreateTable
CREATE TABLE "repair" (
    "id" BIGSERIAL NOT NULL,
    "state" "work_state" NOT NULL DEFAULT 'waiting',
    "why" TEXT NOT NULL,
    "blocked" TEXT NOT NULL DEFAULT '',
    "chunks_total" BIGINT NOT NULL DEFAULT 0,
    "chunks_done" BIGINT NOT NULL DEFAULT 0,
    "chunks_failed" BIGINT NOT NULL DEFAULT 0,
    "bytes_total" BIGINT NOT NULL DEFAULT 0,
    "bytes_done" BIGINT NOT NULL DEFAULT 0,
    "bytes_per_second" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "repair_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rebalance" (
    "id" BIGSERIAL NOT NULL,
    "kind" "rebalance_kind" NOT NULL,
    "node_id" SMALLINT,
    "state" "work_state" NOT NULL DEFAULT 'waiting',
    "why" TEXT NOT NULL,
    "blocked" TEXT NOT NULL DEFAULT '',
    "plan" JSONB NOT NULL DEFAULT '{}',
    "chunks_total" BIGINT NOT NULL DEFAULT 0,
    "chunks_done" BIGINT NOT NULL DEFAULT 0,
    "chunks_failed" BIGINT NOT NULL DEFAULT 0,
    "bytes_total" BIGINT NOT NULL DEFAULT 0,
    "bytes_done" BIGINT NOT NULL DEFAULT 0,
    "bytes_per_second" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "bytes_per_second_max" BIGINT,
    "actor_id" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "rebalance_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "garbage_run" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "state" "garbage_run_state" NOT NULL,
    "why" TEXT NOT NULL DEFAULT '',
    "condemned" BIGINT NOT NULL DEFAULT 0,
    "revived" BIGINT NOT NULL DEFAULT 0,
    "trashed" BIGINT NOT NULL DEFAULT 0,
    "purged" BIGINT NOT NULL DEFAULT 0,
    "bytes" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "garbage_run_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "repair_started_at_idx" ON "repair"("started_at");

-- CreateIndex
CREATE INDEX "rebalance_started_at_idx" ON "rebalance"("started_at");

-- CreateIndex
CREATE INDEX "garbage_run_at_idx" ON "garbage_run"("at");

-- At most one stretch of repairing is open.
CREATE UNIQUE INDEX "repair_open" ON "repair" ((true)) WHERE "finished_at" IS NULL;
-- What healing looks for: few copies first. Its entries repeat a handful of values, so it is small.
CREATE INDEX "chunk_copies" ON "chunk" (cardinality("replicas")) WHERE "state" = 'live';
CREATE INDEX "chunk_condemned" ON "chunk" ("condemned_at") WHERE "state" = 'condemned';
-- Open uploads of a drive are counted and summed with every new one.
CREATE INDEX "upload_open" ON "upload" ("drive_id") WHERE "state" IN ('receiving', 'complete');
