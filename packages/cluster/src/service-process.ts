/**
 * One service as a process of its own, kept running.
 *
 * A crash is noticed at once, logged, and answered with a new process: right away the first time, then with growing
 * pauses, so that a service that cannot live does not eat the machine. It talks to us over the process channel; when we
 * die, the channel closes and the service stops by itself.
 */
import { type ChildProcess, type Serializable, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { ReadyMessage } from "@holdfast/core/service";
import { runtimeFlags } from "./runtime-flags.ts";
import type { ServiceLog } from "./service-log.ts";

const RESTART_PAUSE_MIN_MS = 200;
const RESTART_PAUSE_MAX_MS = 10_000;
/** A process that lived this long was well; the next crash starts with a short pause again. */
const STABLE_AFTER_MS = 30_000;
const KILL_AFTER_MS = 15_000;

export interface ServiceDefinition {
  name: string;
  /** The program, for `node`. */
  program: string;
  /** Of `node`; those of all services by default. */
  flags?: readonly string[];
  environment: Record<string, string>;
}

export class ServiceProcess {
  readonly name: string;
  #definition: ServiceDefinition;
  readonly #log: ServiceLog;
  readonly #onCrash: (line: string) => void;
  readonly #answer: (message: unknown) => Promise<Serializable | undefined>;
  #child: ChildProcess | undefined;
  #ready = Promise.withResolvers<void>();
  #unwant = (): void => undefined;
  #life: Promise<unknown> = Promise.resolve();
  #keeping: Promise<void> = Promise.resolve();

  /** `answer` says what to send back for whatever the service sends besides "ready"; undefined for nothing. */
  constructor(
    definition: ServiceDefinition,
    log: ServiceLog,
    onCrash: (line: string) => void,
    answer: (message: unknown) => Promise<Serializable | undefined> = () => Promise.resolve(undefined),
  ) {
    this.name = definition.name;
    this.#definition = definition;
    this.#log = log;
    this.#onCrash = onCrash;
    this.#answer = answer;
  }

  get definition(): ServiceDefinition {
    return this.#definition;
  }

  /** Adds to its environment, from its next start on. */
  reconfigure(environment: Readonly<Record<string, string>>): void {
    this.#definition = { ...this.#definition, environment: { ...this.#definition.environment, ...environment } };
  }

  /** The current process's number; undefined between two lives. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and returns when it says it is ready. Rejects, in the service's own words, if its first life ends before that. */
  async start(): Promise<void> {
    const controller = new AbortController();
    this.#unwant = () => controller.abort();
    this.#log.hold();
    const firstLife = this.#live();
    const end = await Promise.race([this.#ready.promise, firstLife]);
    if (end !== undefined) throw new Error(`${this.name} could not start: ${this.#log.takeHeld() || end}`);
    this.#log.release();
    this.#keeping = this.#keepAlive(firstLife, controller.signal);
  }

  /** Resolves when the present (or next) process has said it is ready. */
  untilReady(): Promise<void> {
    return this.#ready.promise;
  }

  /** Asks it to finish and leave; insists after a while. Resolves when it is gone. May be called twice. */
  async stop(): Promise<void> {
    this.#unwant();
    const child = this.#child;
    child?.kill("SIGTERM");
    child?.kill("SIGCONT"); // a paused process could not hear us
    const insist = setTimeout(() => child?.kill("SIGKILL"), KILL_AFTER_MS);
    await Promise.all([this.#life, this.#keeping]);
    clearTimeout(insist);
  }

  /** Keeps it down without forgetting it, as if its machine had lost power; `start` brings it back. */
  async unplug(): Promise<void> {
    this.#unwant();
    this.#child?.kill("SIGKILL");
    await Promise.all([this.#life, this.#keeping]);
  }

  /** Undoes `unplug`, without waiting: should it not come up, it is tried again and again. */
  plugIn(): void {
    const controller = new AbortController();
    this.#unwant = () => controller.abort();
    this.#keeping = this.#keepAlive(this.#live(), controller.signal);
  }

  /**
   * Stops the process in the middle of whatever it does; returns what lets it go on. Should we die meanwhile, the other
   * process lets it go on in our place, for nobody else would: it could not even notice that we are gone.
   */
  pause(): () => void {
    const child = this.#child;
    if (child === undefined) return () => undefined;
    const waker = spawn("sh", ["-c", 'read -r _; kill -CONT "$0"', String(child.pid)], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    child.kill("SIGSTOP");
    return () => {
      child.kill("SIGCONT");
      waker.stdin.end();
    };
  }

  async #keepAlive(firstLife: Promise<string>, wanted: AbortSignal): Promise<void> {
    let pauseMs = RESTART_PAUSE_MIN_MS;
    let born = performance.now();
    let end = await firstLife;
    while (!wanted.aborted) {
      this.#onCrash(`${this.name} ended (${end})`);
      pauseMs = performance.now() - born > STABLE_AFTER_MS ? RESTART_PAUSE_MIN_MS : Math.min(pauseMs * 2, RESTART_PAUSE_MAX_MS);
      await delay(pauseMs, undefined, { signal: wanted }).catch(() => undefined); // an abort only ends the pause
      if (wanted.aborted) return;
      born = performance.now();
      end = await this.#live();
    }
  }

  /** One life, from start to exit; returns how it ended. */
  #live(): Promise<string> {
    this.#ready = Promise.withResolvers<void>();
    const { program, flags = runtimeFlags, environment } = this.#definition;
    const child = spawn(process.execPath, [...flags, program], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: environment,
      detached: true, // Ctrl-C in a terminal reaches us alone; we stop the services in order
    });
    this.#child = child;
    this.#log.follow(child);
    child.on("message", (message) => {
      if ((message as ReadyMessage).type === "ready") this.#ready.resolve();
      else void this.#answerTo(child, message);
    });
    const life = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    this.#life = life.then(() => (this.#child = undefined));
    return life;
  }

  async #answerTo(child: ChildProcess, message: unknown): Promise<void> {
    const answer = await this.#answer(message);
    if (answer !== undefined && child.connected) child.send(answer, () => undefined); // whoever asked may be gone by now
  }
}
