"use client";
import { Button, Dialog, DialogActions } from "@holdfast/ui";
import { type Entry, nameOf } from "../entries/entry.ts";
import { useLast } from "../shell/use-last.ts";

type What = readonly Entry[] | "everything";

interface ForeverDialogProps {
  /** What would be deleted; undefined closes the dialog. */
  asking: What | undefined;
  onClose: () => void;
  onConfirm: (what: What) => void;
}

/** The one question that is asked, because the one thing that cannot be undone. */
export function ForeverDialog({ asking, onClose, onConfirm }: ForeverDialogProps) {
  const what = useLast(asking) ?? "everything";
  const title = what === "everything" ? "Empty the trash?" : `Delete ${nameOf(what)} forever?`;
  return (
    <Dialog open={asking !== undefined} onClose={onClose} title={title} description="This cannot be undone.">
      <DialogActions>
        <Button onClick={onClose}>Keep</Button>
        <Button look="danger" onClick={() => onConfirm(what)}>
          Delete forever
        </Button>
      </DialogActions>
    </Dialog>
  );
}
