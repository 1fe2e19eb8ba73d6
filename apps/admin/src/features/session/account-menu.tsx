"use client";
import { AccountMenu as Menu } from "@holdfast/ui";
import { useSignOut } from "./use-sign-out.ts";
import { useVisitor } from "./use-visitor.ts";

export function AccountMenu() {
  const { data: visitor } = useVisitor();
  const leave = useSignOut();
  return <Menu account={visitor?.kind === "admin" ? visitor.account : undefined} onSignOut={() => void leave()} />;
}
