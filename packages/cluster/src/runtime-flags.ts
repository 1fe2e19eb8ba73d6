/**
 * How Node runs each service. A large nursery is memory that each process keeps for nothing; in a smaller one, requests that
 * are still under way look old, and what they leave behind costs a collection of everything. V8 begins with the smallest there
 * is, and a node under many small chunks stays with it: a fifth of its time goes into looking it through.
 */
export const runtimeFlags: readonly string[] = [
  "--disable-warning=ExperimentalWarning",
  "--min-semi-space-size=2",
  "--max-semi-space-size=4",
];

/**
 * A gateway's nursery holds a tenth of a second of its requests: whatever begins and ends within that is never copied. It does so
 * from the start, because V8 remembers of each line of code whether what it made in a small nursery lived on, and makes it among
 * the old from then on. And a gateway collects everything when there is twice as much as was alive; V8 by itself would wait for
 * four times.
 *
 * HTTP receives a body in pieces of 64 KiB outside the heap. V8 collects everything whenever 64 MB of such came, dead or
 * alive; for a gateway that is several times a second. So they count as the heap does, and are collected when it has grown.
 */
export const gatewayFlags: readonly string[] = [
  ...runtimeFlags,
  "--min-semi-space-size=16",
  "--max-semi-space-size=16",
  "--heap-growing-percent=100",
  "--external-memory-accounted-in-global-limit",
];
