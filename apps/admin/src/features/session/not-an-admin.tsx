"use client";
import { Button, Welcome } from "@holdfast/ui";
import { useSignOut } from "./use-sign-out.ts";

export function NotAnAdmin() {
  const leave = useSignOut();
  return (
    <Welcome product="Console">
      <div className="flex flex-col gap-4">
        <h1 className="text-xl font-semibold">The console is for admins</h1>
        <p className="text-ink-muted">
          You are signed in, but your account is not an admin's. Your files are in the Drive; if you run this cluster, ask an admin to make
          you one.
        </p>
        <Button look="primary" onClick={() => void leave()}>
          Sign in as somebody else
        </Button>
      </div>
    </Welcome>
  );
}
