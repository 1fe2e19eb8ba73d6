export { describeChunkStore, type StoreUnderTest } from "./conformance.ts";
