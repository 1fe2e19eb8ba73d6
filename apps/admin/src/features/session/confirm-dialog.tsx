"use client";
import { Button, Dialog, DialogActions, Field, Form, textIn } from "@holdfast/ui";
import { useState } from "react";
import { confirmPassword } from "./confirm-password.ts";

/** Asks for the password again, before something that cannot be undone. */
export function ConfirmDialog({ onConfirmed, onClose }: { onConfirmed: () => void; onClose: () => void }) {
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);

  const submit = async (fields: FormData): Promise<void> => {
    setBusy(true);
    const refused = await confirmPassword(textIn(fields, "password"));
    setBusy(false);
    setRefusal(refused);
    if (refused === undefined) onConfirmed();
  };

  return (
    <Dialog
      open
      onClose={onClose}
      title="Is it still you?"
      description="What you are about to do needs your password once more. It counts for a few minutes."
    >
      <Form className="flex flex-col gap-4" onSubmit={(fields) => void submit(fields)}>
        <Field label="Password" name="password" type="password" autoComplete="current-password" required error={refusal} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={busy}>
            Go on
          </Button>
        </DialogActions>
      </Form>
    </Dialog>
  );
}
