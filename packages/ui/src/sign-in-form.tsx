"use client";
import { type ReactNode, useState } from "react";
import { signIn } from "./auth-requests.ts";
import { Button } from "./button.tsx";
import { Field } from "./field.tsx";
import { Form, textIn } from "./form.tsx";

interface SignInFormProps {
  title: string;
  /** What a visitor should know first. */
  children?: ReactNode;
  /** What people call the server: it stands in the words of a refusal. */
  service: string;
  /** The form stays busy until the promise settles. */
  onSignedIn: () => Promise<void> | void;
}

/** Email and password, and why they were refused. */
export function SignInForm({ title, children, service, onSignedIn }: SignInFormProps) {
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);

  const submit = async (fields: FormData): Promise<void> => {
    setBusy(true);
    const refused = await signIn({ email: textIn(fields, "email"), password: textIn(fields, "password") }, service);
    setRefusal(refused);
    if (refused === undefined) await onSignedIn();
    setBusy(false);
  };

  return (
    <Form className="flex flex-col gap-4" onSubmit={(fields) => void submit(fields)}>
      <div className="flex flex-col gap-1">
        <h1 className="text-xl font-semibold">{title}</h1>
        {children && <p className="text-ink-muted">{children}</p>}
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the form is all there is on this page */}
      <Field label="Email" name="email" type="email" autoComplete="username" required autoFocus />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required error={refusal} />
      <Button type="submit" look="primary" busy={busy} className="mt-2">
        {busy ? "Signing in…" : "Sign in"}
      </Button>
    </Form>
  );
}
