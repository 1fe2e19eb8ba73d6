export { type EmbeddedPostgres, type EmbeddedPostgresOptions, embeddedDatabaseUrl, startPostgres } from "./postgres.ts";
