-- New chunks are put into this index in batches. What gathers until then is room that the index never gives back, and read by
-- everybody who asks it; small batches are as fast.
ALTER INDEX "chunk_replicas_idx" SET (gin_pending_list_limit = 64);
