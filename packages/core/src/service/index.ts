export { lockDirectory } from "./directory-lock.ts";
export { EnvironmentError, parseEnvironment, setting } from "./environment.ts";
export { type ReadyMessage, type RunningService, runService } from "./service.ts";
