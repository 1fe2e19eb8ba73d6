export { LeadershipError, type LeadershipErrorCode } from "./errors.ts";
export { createLeadership, type Leadership, type LeadershipOptions } from "./leadership.ts";
