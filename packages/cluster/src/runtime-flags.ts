/**
 * How Node runs each service. A large nursery is memory that each process keeps for nothing; in a smaller one, requests that
 * are still under way look old, and what they leave behind costs a collection of everything. Gateways have hundreds of them
 * under way.
 */
export const runtimeFlags: readonly string[] = withNursery(4);
export const gatewayFlags: readonly string[] = withNursery(16);

function withNursery(megabytes: number): string[] {
  return ["--disable-warning=ExperimentalWarning", `--max-semi-space-size=${megabytes}`];
}
