-- What each gateway's users feel of the nodes, for the pace of healing.

-- CreateTable
CREATE TABLE "gateway" (
    "id" UUID NOT NULL,
    "read_ms" DOUBLE PRECISION NOT NULL,
    "write_ms" DOUBLE PRECISION NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "gateway_pkey" PRIMARY KEY ("id")
);
