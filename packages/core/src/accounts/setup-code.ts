/**
 * The one-time code that the server prints while there is no owner.
 *
 * Whoever can read the server's log is the one who set it up. The code follows from the cluster's own secret, so that every
 * gateway knows the same one and a restart does not change what somebody has just copied.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { type Clock, limits } from "../kernel/index.ts";
import { AccountError } from "./errors.ts";

/** Without 0, 1, I and O, which people mistake for one another. */
const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const GROUPS = 7;
const GROUP_LETTERS = 4;

/** 140 bits as "7KQ2-…": seven groups of four. */
export function setupCodeOf(secret: string): string {
  const digest = createHmac("sha256", secret).update("holdfast set-up code").digest();
  const letters = Array.from(digest.subarray(0, GROUPS * GROUP_LETTERS), (byte) => ALPHABET[byte % ALPHABET.length]!);
  return Array.from({ length: GROUPS }, (_, group) => letters.slice(group * GROUP_LETTERS, (group + 1) * GROUP_LETTERS).join("")).join("-");
}

/** Throws `setup.wrong_code`, or `setup.too_many_tries` without looking at the code. */
export type SetupCodeCheck = (code: string | undefined) => void;

export function createSetupCodeCheck(secret: string, clock: Clock): SetupCodeCheck {
  const expected = digestOf(setupCodeOf(secret), secret);
  let wrongTriesAt: number[] = [];
  return (code) => {
    const now = clock.monotonicMs();
    wrongTriesAt = wrongTriesAt.filter((at) => now - at < limits.setupTriesWindowMs);
    if (wrongTriesAt.length >= limits.setupTriesMax) {
      throw new AccountError("setup.too_many_tries", "Too many wrong codes. Wait a minute, then enter the one the server printed.");
    }
    if (timingSafeEqual(digestOf(code ?? "", secret), expected)) return;
    if (code !== undefined) wrongTriesAt.push(now);
    throw new AccountError("setup.wrong_code", "Enter the set-up code that the server printed in its log when it started.");
  };
}

/** Equal lengths for the comparison in constant time; case, spaces and dashes do not matter to whoever types it. */
function digestOf(code: string, secret: string): Buffer {
  const typed = code.toUpperCase().replace(/[^0-9A-Z]/g, "");
  return createHmac("sha256", secret).update(typed).digest();
}
