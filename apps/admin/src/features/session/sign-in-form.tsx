"use client";
import { Button, Field, Form } from "@holdfast/ui";
import { useState } from "react";
import { signIn } from "./auth-requests.ts";
import { useVisitor } from "./use-visitor.ts";
import { Welcome } from "./welcome.tsx";

/** Stands where the page would be; the page comes in its place once the visitor is in. */
export function SignInForm() {
  const visitor = useVisitor();
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);

  const submit = async (form: FormData): Promise<void> => {
    setBusy(true);
    const refused = await signIn({ email: form.get("email") as string, password: form.get("password") as string });
    setRefusal(refused);
    if (refused === undefined) await visitor.refetch();
    setBusy(false);
  };

  return (
    <Welcome>
      <Form className="flex flex-col gap-4" onSubmit={(fields) => void submit(fields)}>
        <div className="flex flex-col gap-1">
          <h1 className="text-xl font-semibold">Sign in to the console</h1>
          <p className="text-ink-muted">With your account of the Drive. If there is none yet, set up the Drive first.</p>
        </div>
        <Field label="Email" name="email" type="email" autoComplete="username" required />
        <Field label="Password" name="password" type="password" autoComplete="current-password" required error={refusal} />
        <Button type="submit" look="primary" busy={busy} className="mt-2">
          {busy ? "Signing in…" : "Sign in"}
        </Button>
      </Form>
    </Welcome>
  );
}
