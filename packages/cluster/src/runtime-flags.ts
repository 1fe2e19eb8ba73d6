/**
 * How Node runs each service. A large nursery is memory that each process keeps for nothing; in a smaller one, requests that
 * are still under way look old, and what they leave behind costs a collection of everything.
 */
export const runtimeFlags: readonly string[] = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4"];

/**
 * HTTP receives a body in pieces of 64 KiB outside the heap. V8 collects everything whenever 64 MB of such came, dead or
 * alive; for a gateway that is several times a second. So they count as the heap does, and are collected when it has grown.
 */
export const gatewayFlags: readonly string[] = [...runtimeFlags, "--external-memory-accounted-in-global-limit"];
