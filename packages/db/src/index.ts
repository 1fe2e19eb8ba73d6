export {
  type Database,
  type DatabaseOptions,
  inOneBreath,
  inTransaction,
  limitSilence,
  openDatabase,
  type TransactionOptions,
} from "./client.ts";
export { assertDurable } from "./durability.ts";
export * from "./generated/enums.ts";
export type * from "./generated/models.ts";
export { Prisma, PrismaClient } from "./generated/client.ts";
export { applyMigrations, readMigrations } from "./migrations/apply.ts";
export { listOfAnyLength } from "./statements.ts";
