export { type Clock, systemClock } from "./clock.ts";
export { DomainError, unreachable } from "./errors.ts";
export { FleetingMap } from "./fleeting-map.ts";
export { limits } from "./limits.ts";
export { createLogger, type Logger } from "./logging.ts";
export { allocatePages, liesOnPages, PAGE_BYTES } from "./page-memory.ts";
export { DAY_MS, GiB, HOUR_MS, KiB, MiB, MINUTE_MS, SECOND_MS } from "./units.ts";
