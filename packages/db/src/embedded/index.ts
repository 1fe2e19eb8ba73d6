export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startPostgres } from "./postgres.ts";
