/**
 * How Node runs each service. The small nursery matters: a byte path makes little garbage that outlives a request, and a
 * large nursery is memory that each process keeps for nothing.
 */
export const runtimeFlags: readonly string[] = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=1"];
