/**
 * A node's side of membership: register, say "I am alive" at the interval the controller asks for, and start over whenever
 * the controller does not know us.
 *
 * The controller being away is an ordinary state: the node goes on serving and asks again, for ever. Two answers end it,
 * because only a person can help: the disk belongs to another cluster, or another process keeps speaking for the same
 * identity. The latter is believed only after a while: the disk may have moved here, and its old place is still waited for.
 * Until then a copied disk may serve what it holds; nobody is told its address, and no wrong byte can come of it.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type ServiceError, status as grpcStatus } from "@grpc/grpc-js";
import type { StoreStats } from "../chunk-store/index.ts";
import { type Clock, limits, type Logger, systemClock } from "../kernel/index.ts";
import type { ControllerClient } from "./controller-client.ts";
import { RegistrationRefused } from "./errors.ts";
import type { IdentityMarker } from "./identity.ts";

export interface NodeDescription {
  name: string;
  /** Where gateways and other nodes reach it. */
  host: string;
  port: number;
  zone: string;
  mac: string;
  version: string;
}

/** How the node is, as it tells with every call. */
export interface NodeVitals extends StoreStats {
  /** Which disk its chunks are on. */
  device: string;
  /** Typical durable write and verified read of the last minute; 0 when there was none. */
  writeLatencyMs: number;
  readLatencyMs: number;
  /** Where StorageService answers; 0 when it does not. */
  grpcPort: number;
  /** 0 to 1, of the present scrub pass. */
  scrubProgress: number;
  /** When the last full scrub pass ended. */
  scrubbedAt: Date | undefined;
}

export interface RegistrationOptions {
  controller: ControllerClient;
  marker: IdentityMarker;
  node: NodeDescription;
  vitals(): Promise<NodeVitals>;
  logger: Logger;
  clock?: Clock;
  /** 0 to 1, for jitter. */
  random?: () => number;
}

export interface Registration {
  /** Rejects with `RegistrationRefused` when the node cannot be part of the cluster; resolves after `stop`. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = limits.heartbeatIntervalMs;
/** By then an old place that is gone has long counted as down. */
const CLONE_PATIENCE_MS = 3 * limits.nodeDownAfterMs;

export function startRegistration(options: RegistrationOptions): Registration {
  const stopping = new AbortController();
  const ended = new Member(options, stopping.signal).live();
  return {
    ended,
    async stop() {
      stopping.abort();
      await Promise.allSettled([ended]);
    },
  };
}

class Member {
  readonly #options: RegistrationOptions;
  readonly #clock: Clock;
  readonly #stopping: AbortSignal;
  readonly #bootId = randomUUID();
  #sequence = 0n;
  #lastFault = "";

  constructor(options: RegistrationOptions, stopping: AbortSignal) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#stopping = stopping;
  }

  async live(): Promise<void> {
    while (!this.#stopping.aborted) {
      const intervalMs = await this.#register();
      await this.#beat(intervalMs);
    }
  }

  /** Tries until accepted or stopped. Returns the interval between heartbeats. */
  async #register(): Promise<number> {
    let clonedSinceMs: number | undefined;
    for (let attempt = 0; !this.#stopping.aborted; attempt++) {
      try {
        return await this.#registerOnce();
      } catch (error) {
        if (error instanceof RegistrationRefused) throw error;
        const { code, details } = error as ServiceError;
        if (code === grpcStatus.FAILED_PRECONDITION) throw new RegistrationRefused("node.foreign", details);
        clonedSinceMs = code === grpcStatus.ALREADY_EXISTS ? (clonedSinceMs ?? this.#clock.monotonicMs()) : undefined;
        if (clonedSinceMs !== undefined && this.#clock.monotonicMs() - clonedSinceMs >= CLONE_PATIENCE_MS) {
          throw new RegistrationRefused("node.cloned", details);
        }
        this.#report(error as ServiceError);
      }
      await this.#pause(retryMs(attempt, this.#options.random ?? Math.random));
    }
    return 0;
  }

  async #registerOnce(): Promise<number> {
    const { controller, marker, node, logger } = this.#options;
    const { identity, clusterId = "", store } = marker.current;
    const status = await this.#status();
    const answer = await controller.registerNode({ ...node, identity, clusterId, store, bootId: this.#bootId, status });
    await marker.complete(answer);
    this.#lastFault = "";
    logger.info({ nodeId: answer.nodeId, clusterId: answer.clusterId }, "registered");
    return answer.heartbeatIntervalMs;
  }

  /** Returns when the controller no longer knows this run of ours, or when stopped. */
  async #beat(firstIntervalMs: number): Promise<void> {
    let intervalMs = firstIntervalMs;
    for (;;) {
      await this.#pause(intervalMs);
      if (this.#stopping.aborted) return;
      try {
        intervalMs = await this.#beatOnce();
      } catch (error) {
        this.#report(error as ServiceError);
        if ((error as ServiceError).code === grpcStatus.NOT_FOUND) return;
      }
    }
  }

  async #beatOnce(): Promise<number> {
    const { controller, marker, logger } = this.#options;
    const status = await this.#status();
    const { identity } = marker.current;
    const answer = await controller.heartbeat({ identity, bootId: this.#bootId, sequence: ++this.#sequence, status });
    if (this.#lastFault !== "") logger.info("the controller answers again");
    this.#lastFault = "";
    return answer.heartbeatIntervalMs;
  }

  async #status() {
    const { capacityBytes, freeBytes, usedBytes, chunkCount, diskErrors, corruptChunks, reason, scrubbedAt, ...vitals } =
      await this.#options.vitals();
    return {
      ...vitals,
      capacityBytes: BigInt(capacityBytes),
      freeBytes: BigInt(freeBytes),
      usedBytes: BigInt(usedBytes),
      chunkCount: BigInt(chunkCount),
      diskErrors: BigInt(diskErrors),
      corruptChunks: BigInt(corruptChunks),
      writeRefusal: reason,
      scrubbedAtMs: BigInt(scrubbedAt?.getTime() ?? 0),
    };
  }

  /** Once per kind of fault: a controller that is away for a night is one line. */
  #report({ code, details, message }: ServiceError): void {
    const fault = details ?? message;
    if (this.#lastFault !== fault)
      this.#options.logger.warn({ grpc: grpcStatus[code], fault }, "the controller did not accept us; trying again");
    this.#lastFault = fault;
  }

  /** Cut short by `stop`. */
  async #pause(ms: number): Promise<void> {
    await Promise.allSettled([delay(ms, undefined, { signal: this.#stopping })]);
  }
}

/** Doubles up to its bound; half of it is chance, so that a hundred nodes do not come back to a restarted controller as one. */
function retryMs(attempt: number, random: () => number): number {
  const bound = Math.min(RETRY_MS_MIN * 2 ** attempt, RETRY_MS_MAX);
  return bound * (0.5 + random() / 2);
}
