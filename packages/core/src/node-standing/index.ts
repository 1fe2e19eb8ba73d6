export { type Attempt, createNodeStandings, type NodeStandings } from "./node-standings.ts";
