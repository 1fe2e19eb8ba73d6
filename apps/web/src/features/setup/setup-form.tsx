"use client";
import { Button, Field, Form, signIn, Skeleton, wordsFor } from "@holdfast/ui";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { useTRPC } from "../api/trpc.ts";
import { type OwnerFields, readOwner } from "./owner.ts";

export function SetupForm() {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const setup = useQuery(trpc.setup.state.queryOptions());
  const createOwner = useMutation(trpc.setup.createOwner.mutationOptions());
  const [faults, setFaults] = useState<Partial<Record<OwnerFields, string>>>({});

  useEffect(() => {
    if (setup.data?.needed === false && createOwner.isIdle) router.replace("/sign-in");
  }, [setup.data, createOwner.isIdle, router]);

  const submit = async (form: FormData): Promise<void> => {
    const read = readOwner(form);
    setFaults(read.faults);
    if (!read.owner) return;
    await createOwner.mutateAsync(read.owner);
    const refused = await signIn(read.owner, "Holdfast");
    queryClient.clear();
    router.replace(refused === undefined ? "/" : "/sign-in");
  };

  if (!setup.data?.needed) return <SetupSkeleton />;
  const busy = createOwner.isPending || createOwner.isSuccess;
  return (
    <Form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(fields) => void submit(fields).catch(() => undefined)} // shown below, from the mutation
    >
      <div className="flex flex-col gap-1">
        <h1 className="text-xl font-semibold">Welcome to your Drive</h1>
        <p className="text-ink-muted">Make the owner’s account. It signs in here and to the console.</p>
      </div>
      {setup.data.codeRequired && (
        <Field
          label="Set-up code"
          name="code"
          autoComplete="one-time-code"
          className="[&_input]:font-mono"
          hint="The server printed it when it started. It shows that this machine is yours."
          error={faults.code}
        />
      )}
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the form is all there is on this page */}
      <Field label="Your name" name="name" autoComplete="name" autoFocus error={faults.name} />
      <Field label="Email" name="email" type="email" autoComplete="username" error={faults.email} />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        hint="At least 8 characters. A sentence is easiest to keep in mind."
        error={faults.password}
      />
      {createOwner.error && (
        <p role="alert" className="text-sm text-unreadable">
          {wordsFor(createOwner.error)}
        </p>
      )}
      <Button type="submit" look="primary" busy={busy} className="mt-2">
        {busy ? "Setting up…" : "Create the owner"}
      </Button>
    </Form>
  );
}

function SetupSkeleton() {
  return (
    <div className="flex flex-col gap-4" aria-busy>
      <Skeleton className="h-7 w-48" />
      <Skeleton className="h-9" />
      <Skeleton className="h-9" />
      <Skeleton className="h-9" />
      <Skeleton className="mt-2 h-9" />
    </div>
  );
}
