"use client";
import { toast, wordsFor } from "@holdfast/ui";
import { type UseMutationOptions, useMutation } from "@tanstack/react-query";

/**
 * A mutation that an operator gave: what it did is said in a word, and a refusal in the server's own words, or ours when it
 * did not answer. What it changed comes with the live stream.
 */
export function useCommand<Input, Output, Failure, Context>(
  options: UseMutationOptions<Output, Failure, Input, Context>,
  { said, onDone }: { said: (output: Output, input: Input) => string; onDone?: () => void },
) {
  return useMutation({
    ...options,
    onSuccess(output: Output, input: Input) {
      toast(said(output, input));
      onDone?.();
    },
    onError: (failure: Failure) => toast(wordsFor(failure)),
  });
}
