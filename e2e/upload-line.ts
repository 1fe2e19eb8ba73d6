import { KiB, MiB } from "@holdfast/core/kernel";
import type { Page } from "@playwright/test";

const SLOW_BYTES_PER_SECOND = 20 * MiB;
const STALLED_BYTES_PER_SECOND = 64 * KiB;
const UNLIMITED = -1;

/** The way from the browser to the Drive, as fast as a journey needs it. */
export interface UploadLine {
  slow: () => Promise<void>;
  /** Almost at a standstill: what is half-way stays so, however slow the machine is. */
  stall: () => Promise<void>;
  free: () => Promise<void>;
}

/** Begins slow. */
export async function uploadLine(page: Page): Promise<UploadLine> {
  const devtools = await page.context().newCDPSession(page);
  const limit = async (uploadThroughput: number): Promise<void> => {
    await devtools.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: UNLIMITED,
      uploadThroughput,
    });
  };
  const line = {
    slow: () => limit(SLOW_BYTES_PER_SECOND),
    stall: () => limit(STALLED_BYTES_PER_SECOND),
    free: () => limit(UNLIMITED),
  };
  await line.slow();
  return line;
}
