export { FOR_COPY } from "./http-chunk-store.ts";
export { createNodeClients, type NodeAddress, type NodeClients } from "./node-clients.ts";
export {
  type BadSource,
  type BadSourceReason,
  EPOCH_HEADER,
  type NodeCommands,
  type Replicated,
  type ScrubOrder,
} from "./node-commands.ts";
