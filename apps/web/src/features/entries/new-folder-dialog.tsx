"use client";
import { Button, Dialog, DialogActions, Field, Form, textIn, wordsFor } from "@holdfast/ui";
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { useTRPC } from "../api/trpc.ts";
import { useListCache } from "./list-cache.ts";

export function NewFolderDialog({ parentId, open, onClose }: { parentId: string; open: boolean; onClose: () => void }) {
  const cache = useListCache();
  const input = useRef<HTMLInputElement>(null);
  const create = useMutation(useTRPC().entries.createFolder.mutationOptions({ onSuccess: cache.refresh }));

  const close = (): void => {
    create.reset();
    onClose();
  };
  const submit = (form: FormData): void => {
    const name = textIn(form, "name").trim();
    if (name !== "") create.mutate({ parentId, name }, { onSuccess: close });
  };
  return (
    <Dialog open={open} onClose={close} title="New folder" initialFocus={input}>
      <Form className="flex flex-col gap-5" onSubmit={submit}>
        <Field ref={input} label="Name" name="name" autoComplete="off" error={create.error && wordsFor(create.error)} />
        <DialogActions>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" look="primary" busy={create.isPending}>
            Create
          </Button>
        </DialogActions>
      </Form>
    </Dialog>
  );
}
