import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { macAddress } from "./index.ts";

const at = (address: string, mac: string, internal = false) => [{ address, mac, internal } as NetworkInterfaceInfo];
const interfaces = {
  lo: at("127.0.0.1", "00:00:00:00:00:00", true),
  eth0: at("192.0.2.1", "02:00:00:00:00:01"),
  eth1: at("192.0.2.2", "02:00:00:00:00:02"),
};

test("a node is found by the interface it is reached at, else by the first that leaves the machine", () => {
  expect(macAddress("192.0.2.2", interfaces)).toBe("02:00:00:00:00:02");
  expect(macAddress("127.0.0.1", interfaces)).toBe("02:00:00:00:00:01");
  expect(macAddress("node.example", interfaces)).toBe("02:00:00:00:00:01");
});

test("a machine without a network has none", () => {
  expect(macAddress("127.0.0.1", { lo: interfaces.lo })).toBe("");
});
