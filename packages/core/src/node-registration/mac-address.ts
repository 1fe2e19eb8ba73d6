import type { NetworkInterfaceInfo } from "node:os";

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Of the interface that has `host` as its address, else of the first that leaves the machine; empty when there is none. */
export function macAddress(host: string, interfaces: Interfaces): string {
  const outward = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal);
  return (outward.find(({ address }) => address === host) ?? outward[0])?.mac ?? "";
}
