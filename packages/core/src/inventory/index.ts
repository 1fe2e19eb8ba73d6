export { compareNode, type RangeDifferences } from "./compare.ts";
export { createInventory, type Inventory, inventoryIntervalMs, type InventoryOptions } from "./inventory.ts";
export { type InventoryFindings, type InventoryParts, takeInventory } from "./take-inventory.ts";
