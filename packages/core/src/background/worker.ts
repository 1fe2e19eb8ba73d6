/**
 * The one shape of everything that runs in the background: a name, a status, and a step that is repeated.
 *
 * A step that fails is reported and tried again at its next turn: a worker never dies of an error, because nobody would
 * notice. Steps of one worker never overlap. A step must be harmless to repeat.
 */
export interface WorkerOptions {
  /** What the console and the logs call it. */
  name: string;
  /** From the end of a step to the start of the next. */
  intervalMs: number;
  /** `signal` aborts when the worker is told to stop. */
  step(signal: AbortSignal): Promise<void>;
  /** Called for the first failure after a success only; an outage is one line in the log and not one a second. */
  onError(error: unknown): void;
}

export interface WorkerStatus {
  name: string;
  state: "stopped" | "running" | "failing";
  /** Of the last failure, while it is failing. */
  reason: string;
}

export interface Worker {
  /** Runs the first step and resolves when it has ended, well or not; the others follow by themselves. */
  start(): Promise<void>;
  /** Waits for the step under way. */
  stop(): Promise<void>;
  status(): WorkerStatus;
}

export function createWorker(options: WorkerOptions): Worker {
  const { name, intervalMs } = options;
  const stopping = new AbortController();
  let status: WorkerStatus = { name, state: "stopped", reason: "" };
  let timer: NodeJS.Timeout | undefined;
  let turn = Promise.resolve();

  const takeTurn = async (): Promise<void> => {
    try {
      await options.step(stopping.signal);
      status = { name, state: "running", reason: "" };
    } catch (error) {
      if (status.state !== "failing" && !stopping.signal.aborted) options.onError(error);
      status = { name, state: "failing", reason: error instanceof Error ? error.message : String(error) };
    }
    if (!stopping.signal.aborted) timer = setTimeout(nextTurn, intervalMs);
  };

  const nextTurn = (): void => void (turn = takeTurn());

  return {
    start() {
      nextTurn();
      return turn;
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await turn;
      status = { name, state: "stopped", reason: "" };
    },
    status: () => status,
  };
}
