/**
 * Healing, put together: what brings chunks back to their wanted copies after a node, a disk or a copy was lost.
 *
 * Decide, then do: `planChunk` says what one chunk lacks, the engine makes copies, the repairer looks for chunks that lack
 * something and takes the scarcest first. Nothing is kept in memory that a crash could lose: the chunk rows say what is missing.
 * What can go wrong is doing too much: too early (a reboot is not a loss), too fast (users wait), by two controllers at once, or
 * giving up a copy that was still needed. Each has its guard, and each guard a test that fails without it.
 */
import type pg from "pg";
import { createWorker, type Worker, type WorkerStatus } from "../background/index.ts";
import { readFelt } from "../foreground/index.ts";
import { type Clock, limits, type Logger, systemClock } from "../kernel/index.ts";
import type { SafemodeReader } from "../safemode/index.ts";
import { type Leadership, LeadershipError } from "../leadership/index.ts";
import type { Membership } from "../membership/index.ts";
import type { NodeAddress, NodeCommands } from "../node-client/index.ts";
import { type CopyEngine, createCopyEngine } from "./copy-engine.ts";
import { createPace } from "./pace.ts";
import { Repairer } from "./repairer.ts";
import { type HealingView, readView } from "./view.ts";

export interface HealingOptions {
  pool: pg.Pool;
  leadership: Leadership;
  membership: Membership;
  clients: { commandsFor(node: NodeAddress): Pick<NodeCommands, "replicate" | "verify" | "trash" | "restore"> };
  logger: Logger;
  safemode?: SafemodeReader;
  /** Copies each chunk should have, unless the cluster's row says otherwise. */
  replicas?: number;
  /** How long a node that is down is awaited before its copies are replaced. */
  repairAfterMs?: number;
  settleMs?: number;
  intervalMs?: number;
  clock?: Clock;
}

export interface Healing {
  /** For whoever else moves copies, so that all together keep one pace. */
  engine: CopyEngine;
  /** What healing decides by at this moment; undefined until the database has answered once. */
  view(): HealingView | undefined;
  workers(): WorkerStatus[];
  start(): Promise<void>;
  /** Cuts off copies under way; they are made again by the next leader. */
  stop(): Promise<void>;
}

const NEVER_IN_SAFEMODE: SafemodeReader = { isOn: () => false, why: () => "" };

export function createHealing(options: HealingOptions): Healing {
  const { pool, leadership, clients, membership, logger, clock = systemClock, intervalMs = limits.healingIntervalMs } = options;
  const { replicas = limits.replicas, repairAfterMs = limits.repairAfterMs } = options;
  const pace = createPace(clock);
  const engine = createCopyEngine({ leadership, clients, pace, clock, logger });
  let view: HealingView | undefined;
  const repairer = new Repairer({
    pool,
    leadership,
    clients,
    engine,
    logger,
    clock,
    intervalMs,
    repairAfterMs,
    settleMs: options.settleMs ?? limits.healingSettleMs,
    safemode: options.safemode ?? NEVER_IN_SAFEMODE,
    view: () => view,
  });

  const worker = (name: string, step: (signal: AbortSignal) => Promise<void>): Worker =>
    createWorker({
      name,
      intervalMs,
      step: (signal) => step(signal).catch(ignoreLostLead),
      onError: (error) => logger.error({ err: error, worker: name }, "a worker fails; it will try again"),
    });
  const watcher = worker("healing-watch", async () => {
    view = await readView({ pool, membership, replicas, repairAfterMs });
    pace.order(view.orders);
    pace.observe(await readFelt(pool));
  });
  const repair = worker("repair", (signal) => repairer.step(signal));

  return {
    engine,
    view: () => view,
    workers: () => [watcher.status(), repair.status()],
    async start() {
      await watcher.start();
      void repair.start(); // its first pass may take hours
    },
    async stop() {
      engine.stop();
      await repair.stop();
      await watcher.stop();
    },
  };
}

/** To lose the lead in the middle of the work is an ordinary state; nothing has happened then. */
function ignoreLostLead(error: unknown): void {
  if (!(error instanceof LeadershipError)) throw error;
}
