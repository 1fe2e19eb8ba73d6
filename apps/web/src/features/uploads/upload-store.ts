/**
 * What is known of the page's uploads, and when it is drawn.
 *
 * What is shown changes at most every `SHOW_EVERY_MS`, however many progress events arrive: ten thousand small files must
 * not cost a drawing each. What a person does is shown at once (`show`).
 */
import { inTrayOrder, type Summary, summarize } from "./summary.ts";
import type { Phase, Upload } from "./upload.ts";

const SHOW_EVERY_MS = 150;

/** Everything that is drawn, as of one moment. */
export interface QueueView extends Summary {
  uploads: readonly Upload[];
}

export function createUploadStore() {
  const uploads = new Map<string, Upload>();
  const listeners = new Set<() => void>();
  let view = viewOf();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function viewOf(): QueueView {
    const all = [...uploads.values()];
    return { ...summarize(all), uploads: inTrayOrder(all) };
  }

  function show(): void {
    clearTimeout(timer);
    timer = undefined;
    view = viewOf();
    for (const listener of listeners) listener();
  }

  return {
    get: (id: string): Upload | undefined => uploads.get(id),
    all: (): Iterable<Upload> => uploads.values(),
    idsIn: (...phases: Phase["name"][]): string[] =>
      [...uploads.values()].filter(({ phase }) => phases.includes(phase.name)).map(({ id }) => id),
    put: (upload: Upload): void => void uploads.set(upload.id, upload),
    remove: (id: string): void => void uploads.delete(id),

    /** Nothing happens to an upload that is gone. */
    change: (id: string, changes: Partial<Upload>): void => {
      const upload = uploads.get(id);
      if (upload === undefined) return;
      uploads.set(id, { ...upload, ...changes });
      timer ??= setTimeout(show, SHOW_EVERY_MS);
    },

    show,
    view: (): QueueView => view,
    subscribe: (listener: () => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
