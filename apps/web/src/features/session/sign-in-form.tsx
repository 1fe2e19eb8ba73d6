"use client";
import { Button, Field, Form } from "@holdfast/ui";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { useTRPC } from "../api/trpc.ts";
import { textIn } from "../forms/text-in.ts";
import { useUploads } from "../uploads/use-uploads.ts";
import { signIn } from "./auth-requests.ts";
import { safeReturnPath } from "./return-path.ts";

export function SignInForm({ next }: { next: string }) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const uploads = useUploads();
  const setup = useQuery(useTRPC().setup.state.queryOptions());
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    if (setup.data?.needed) router.replace("/setup");
  }, [setup.data, router]);

  const submit = async (form: FormData): Promise<void> => {
    setBusy(true);
    const refused = await signIn({ email: textIn(form, "email"), password: textIn(form, "password") });
    setRefusal(refused);
    setBusy(false);
    if (refused !== undefined) return;
    queryClient.clear();
    uploads.queue.signedIn();
    router.replace(safeReturnPath(next));
  };

  return (
    <Form className="flex flex-col gap-4" onSubmit={(fields) => void submit(fields)}>
      <h1 className="text-xl font-semibold">Sign in</h1>
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the form is all there is on this page */}
      <Field label="Email" name="email" type="email" autoComplete="username" required autoFocus />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required error={refusal} />
      <Button type="submit" look="primary" busy={busy} className="mt-2">
        {busy ? "Signing in…" : "Sign in"}
      </Button>
    </Form>
  );
}
