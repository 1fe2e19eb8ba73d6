/**
 * How Node runs each service. A large nursery is memory that each process keeps for nothing; in a smaller one, requests that
 * are still under way look old, and what they leave behind costs a collection of everything.
 */
export const runtimeFlags: readonly string[] = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4"];
