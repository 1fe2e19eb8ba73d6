import { type ChunkStore, ChunkStoreError } from "@holdfast/core/chunk-store";
import type { NodeFaults } from "./node-faults.ts";

const FULL = "the disk is full: a simulated fault.";

/**
 * The store as its disk would make it look under the faults that are on. What else it can do is passed on as it is; that is
 * why this is a proxy and not a class that would have to repeat the whole contract.
 */
export function withFaults<Store extends ChunkStore>(store: Store, faults: NodeFaults): Store {
  const under: Pick<ChunkStore, "put" | "get" | "getPart" | "stats"> = {
    async put(id, bytes) {
      if (faults.pace !== undefined) await faults.pace.pass(bytes.length);
      if (faults.has("disk-full")) throw new ChunkStoreError("store.full", `This node has no room left: ${FULL}`);
      return await store.put(id, bytes);
    },
    async get(id, options) {
      const bytes = await store.get(id, options);
      if (faults.pace !== undefined) await faults.pace.pass(bytes.length);
      return bytes;
    },
    async getPart(id, part, options) {
      const bytes = await store.getPart(id, part, options);
      if (faults.pace !== undefined) await faults.pace.pass(bytes?.length ?? 0);
      return bytes;
    },
    async stats() {
      const stats = await store.stats();
      return faults.has("disk-full") ? { ...stats, freeBytes: 0, writable: false, reason: FULL } : stats;
    },
  };
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(under, name)) return under[name as keyof typeof under];
      const member: unknown = Reflect.get(target, name, target); // its private fields are not the proxy's
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}
