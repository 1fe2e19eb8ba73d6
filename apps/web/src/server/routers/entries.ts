import {
  createFolder,
  createFolders,
  deleteForever,
  describeEntry,
  emptyTrash,
  listEntries,
  listTrash,
  moveEntries,
  openFolder,
  renameEntry,
  restoreEntries,
  takenNames,
  trashEntries,
} from "@holdfast/core/drive";
import { limits } from "@holdfast/core/kernel";
import { z } from "zod";
import { router, userProcedure } from "./trpc.ts";

const id = z.guid().toLowerCase();
const ids = z.strictObject({ ids: z.array(id).min(1).max(limits.entriesPerRequestMax) });
const cursor = z.string().max(2_000).optional();
const limit = z.int().min(1).max(limits.listPageMax).default(200);
/** Longer than any name may be; the name's own rule gives the better answer. */
const name = z.string().max(2_000);
const path = z.string().max(limits.uploadMetadataBytesMax);

/** Files and folders of the caller's own drive. */
export const entriesRouter = router({
  folder: userProcedure.input(z.strictObject({ id: id.optional() })).query(({ ctx, input }) => openFolder(ctx.pool, ctx.actor, input.id)),

  list: userProcedure
    .input(
      z.strictObject({
        parentId: id,
        sort: z.enum(["name", "modified", "size"]).default("name"),
        direction: z.enum(["asc", "desc"]).default("asc"),
        cursor,
        limit,
      }),
    )
    .query(({ ctx, input }) => listEntries(ctx.pool, ctx.actor, input)),

  details: userProcedure
    .input(z.strictObject({ id }))
    .query(({ ctx, input }) => describeEntry(ctx.pool, ctx.actor, input.id, ctx.services.replicas)),

  /** A mutation only for its body: a thousand names do not fit into an address. */
  takenNames: userProcedure
    .input(z.strictObject({ parentId: id, names: z.array(name).min(1).max(limits.entriesPerRequestMax) }))
    .mutation(({ ctx, input }) => takenNames(ctx.pool, ctx.actor, input)),

  createFolder: userProcedure
    .input(z.strictObject({ parentId: id, name }))
    .mutation(({ ctx, input }) => createFolder(ctx.pool, ctx.actor, input)),

  /** For folders of an upload that have nothing in them. */
  createFolders: userProcedure
    .input(z.strictObject({ parentId: id, paths: z.array(path).min(1).max(limits.entriesPerRequestMax) }))
    .mutation(({ ctx, input }) => createFolders(ctx.pool, ctx.actor, input)),

  rename: userProcedure.input(z.strictObject({ id, name })).mutation(({ ctx, input }) => renameEntry(ctx.pool, ctx.actor, input)),

  move: userProcedure.input(ids.extend({ parentId: id })).mutation(({ ctx, input }) => moveEntries(ctx.pool, ctx.actor, input)),

  trash: userProcedure.input(ids).mutation(({ ctx, input }) => trashEntries(ctx.pool, ctx.actor, input.ids)),

  trashed: userProcedure.input(z.strictObject({ cursor, limit })).query(({ ctx, input }) => listTrash(ctx.pool, ctx.actor, input)),

  restore: userProcedure.input(ids).mutation(({ ctx, input }) => restoreEntries(ctx.pool, ctx.actor, input.ids)),

  deleteForever: userProcedure.input(ids).mutation(({ ctx, input }) => deleteForever(ctx.pool, ctx.actor, input.ids, patiently())),

  /** To be repeated with the answer's `before` until nothing is left. */
  emptyTrash: userProcedure
    .input(z.strictObject({ before: z.date().optional() }).optional())
    .mutation(({ ctx, input }) => emptyTrash(ctx.pool, ctx.actor, { before: input?.before, ...patiently() })),
});

/** A huge trash outlasts any request: this one ends in time, and the client comes again for what is left. */
function patiently(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(limits.deletePatienceMs) };
}
