import { Metadata, status } from "@grpc/grpc-js";
import { DomainError } from "../kernel/index.ts";

export type StatusName = Exclude<keyof typeof status, "OK">;

/** The answer to a call that failed. */
export interface CallFailure {
  code: status;
  details: string;
  metadata?: Metadata;
}

/** The trailing metadata in which a refusal says its stable code, which is finer than the status. */
const ERROR_METADATA = "holdfast-error";

export function callFailure(name: StatusName, details: string): CallFailure {
  return { code: status[name], details };
}

/** Undefined for an error that has no line in `statuses`. */
export function failureIn(statuses: Readonly<Record<string, StatusName>>, error: unknown): CallFailure | undefined {
  if (!(error instanceof DomainError) || !Object.hasOwn(statuses, error.code)) return undefined;
  const metadata = new Metadata();
  metadata.set(ERROR_METADATA, error.code);
  return { ...callFailure(statuses[error.code]!, error.message), metadata };
}
