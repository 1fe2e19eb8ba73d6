/** How a disk keeps its chunks: each in a file of its own, or many in one segment. */
export const chunkStoreKinds = ["file", "segment"] as const;
export type ChunkStoreKind = (typeof chunkStoreKinds)[number];

/** Of a disk that nothing is on yet, where nobody says otherwise. */
export const NEW_DISK_STORE: ChunkStoreKind = "segment";
