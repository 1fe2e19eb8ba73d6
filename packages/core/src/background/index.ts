export { createWorker, type Worker, type WorkerOptions, type WorkerStatus } from "./worker.ts";
