"use client";
import { SignInForm as Form, Welcome } from "@holdfast/ui";
import { useVisitor } from "./use-visitor.ts";

/** Stands where the page would be; the page comes in its place once the visitor is in. */
export function SignInForm() {
  const visitor = useVisitor();
  return (
    <Welcome product="Console">
      <Form title="Sign in to the console" service="The console" onSignedIn={async () => void (await visitor.refetch())}>
        With your account of the Drive. If there is none yet, set up the Drive first.
      </Form>
    </Welcome>
  );
}
