/** How figures read, in both apps: 1.4 GB, 12 MB/s, 3 min 20 s, 5 minutes ago. Pure; the caller brings the time. */

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Decimal units, as disks are sold: three significant digits and no false precision. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return "–";
  const unit = bytes < 1000 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** unit;
  // 999.6 kB would be printed as 1000 kB.
  if (unit > 0 && unit < byteUnits.length - 1 && Math.round(value) >= 1000) return `1 ${byteUnits[unit + 1]}`;
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${trimZero(value.toFixed(digits))} ${byteUnits[unit]}`;
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** The two largest units: `45 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return "–";
  const seconds = Math.round(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const sameYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const otherYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "medium" });

/** `5 minutes ago` within a week, then the date. A moment ahead of us (clocks differ) is `just now`. */
export function formatRelativeTime(at: Date, now: Date): string {
  const age = now.getTime() - at.getTime();
  if (age < MINUTE_MS) return "just now";
  if (age < HOUR_MS) return relative.format(-Math.floor(age / MINUTE_MS), "minute");
  if (age < DAY_MS) return relative.format(-Math.floor(age / HOUR_MS), "hour");
  if (age < 7 * DAY_MS) return relative.format(-Math.floor(age / DAY_MS), "day");
  return (at.getFullYear() === now.getFullYear() ? sameYear : otherYear).format(at);
}

/** `21 November 2026 at 07:38:12`. */
export function formatExactTime(at: Date): string {
  return exact.format(at);
}

/** `1 file`, `12,000 files`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

function trimZero(fixed: string): string {
  return fixed.endsWith(".0") ? fixed.slice(0, -2) : fixed;
}
