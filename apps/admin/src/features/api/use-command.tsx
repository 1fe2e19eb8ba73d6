"use client";
import { toast, wordsFor } from "@holdfast/ui";
import { type UseMutationOptions, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ConfirmDialog } from "../session/confirm-dialog.tsx";
import { isUnconfirmed } from "../session/confirm-password.ts";

interface Command<Output, Input> {
  said: (output: Output, input: Input) => string;
  onDone?: () => void;
  /** The caller shows `refusal` beside its form, where it stays until the next try. */
  showsRefusal?: boolean;
}

/**
 * A mutation that an operator gave: what it did is said in a word, and a refusal in the server's own words, or ours when it
 * did not answer. What it changed comes with the live stream. Where the server wants the password first, `confirmation` asks
 * for it and gives the command again; a caller in a dialog renders it in there, because only so does the keyboard find it.
 */
export function useCommand<Input, Output, Failure, Context>(
  options: UseMutationOptions<Output, Failure, Input, Context>,
  { said, onDone, showsRefusal = false }: Command<Output, Input>,
) {
  const [unconfirmed, setUnconfirmed] = useState<{ input: Input }>();
  const command = useMutation({
    ...options,
    onSuccess(output: Output, input: Input) {
      toast(said(output, input));
      onDone?.();
    },
    onError(failure: Failure, input: Input) {
      if (isUnconfirmed(failure)) setUnconfirmed({ input });
      else if (!showsRefusal) toast(wordsFor(failure));
    },
  });
  const close = (): void => setUnconfirmed(undefined);
  const goOn = ({ input }: { input: Input }): void => {
    close();
    command.mutate(input);
  };
  const confirmation = unconfirmed && <ConfirmDialog onClose={close} onConfirmed={() => goOn(unconfirmed)} />;
  const refusal = command.error === null || isUnconfirmed(command.error) ? undefined : wordsFor(command.error);
  return { ...command, confirmation, refusal };
}
