export { createNodeClients, type NodeAddress, type NodeClients } from "./node-clients.ts";
