export { describeChunkStore, describeChunkTrash, type StoreUnderTest, type TrashUnderTest } from "./conformance.ts";
