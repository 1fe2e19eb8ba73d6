import { z } from "zod";
import { type ChunkId, parseChunkId } from "../chunking/index.ts";
import { limits, unreachable } from "../kernel/index.ts";

const seconds = z.int().min(1).max(limits.simulatedFaultSecondsMax);
const chunks = z.int().min(1).max(limits.simulatedDamageChunksMax).default(1);
const id = z.string().transform((text, check): ChunkId => parseChunkId(text) ?? notAnId(check));

const kill = z.strictObject({ kind: z.literal("kill"), seconds });
const pause = z.strictObject({ kind: z.literal("pause"), seconds });
const clone = z.strictObject({ kind: z.literal("clone"), seconds });
const partition = z.strictObject({ kind: z.literal("partition"), seconds });
const diskFull = z.strictObject({ kind: z.literal("disk-full"), seconds });
const slow = z.strictObject({
  kind: z.literal("slow"),
  seconds,
  /** Added to each read and each write of a chunk. */
  latencyMs: z.int().min(0).max(limits.simulatedLatencyMsMax).default(500),
  /** Of all chunks together; absent for no limit. */
  bytesPerSecond: z.int().min(1).optional(),
});
const corrupt = z.strictObject({ kind: z.literal("corrupt"), seconds, chunks });

/** A fault as somebody asks for it. It ends by itself after `seconds`. */
export const simulatedFault = z.discriminatedUnion("kind", [kill, pause, partition, slow, diskFull, corrupt, clone]);
export type SimulatedFault = z.output<typeof simulatedFault>;
export type FaultKind = SimulatedFault["kind"];

/** What a node does to itself. Which chunks it may damage it is told, because it cannot know what other copies there are. */
export const nodeFault = z.discriminatedUnion("kind", [partition, slow, diskFull, corrupt.extend({ ids: z.array(id).min(1) })]);
export type NodeFault = z.output<typeof nodeFault>;

/** What is done to a node's process from outside, and so only by the supervisor that runs it. */
export type ProcessFault = Extract<SimulatedFault, { kind: "kill" | "pause" | "clone" }>;

export function isProcessFault(fault: SimulatedFault): fault is ProcessFault {
  return fault.kind === "kill" || fault.kind === "pause" || fault.kind === "clone";
}

/** A fault that is on. */
export const activeFault = z.object({
  kind: z.enum(["kill", "pause", "partition", "slow", "disk-full", "corrupt", "clone"] satisfies FaultKind[]),
  until: z.coerce.date(),
  /** The chunks whose copy on this node is damaged while it lasts. */
  ids: z.array(id).optional(),
});
export type ActiveFault = z.output<typeof activeFault>;

/** A clause that can follow the node's name: "killed for 60 s". */
export function faultInWords(fault: SimulatedFault): string {
  return `${deed(fault)} for ${fault.seconds} s`;
}

function deed(fault: SimulatedFault): string {
  switch (fault.kind) {
    case "kill":
      return "killed";
    case "pause":
      return "paused";
    case "partition":
      return "cut off from the network";
    case "slow":
      return `slowed down by ${fault.latencyMs} ms${fault.bytesPerSecond === undefined ? "" : ` and to ${fault.bytesPerSecond} bytes a second`}`;
    case "disk-full":
      return "given a full disk";
    case "corrupt":
      return `damaged in ${fault.chunks} of its chunks`;
    case "clone":
      return "cloned";
    default:
      return unreachable(fault);
  }
}

function notAnId(check: z.RefinementCtx): never {
  check.addIssue("is no chunk id");
  return z.NEVER;
}
