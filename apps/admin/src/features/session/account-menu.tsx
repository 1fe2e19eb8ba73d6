"use client";
import { Avatar, Menu, MenuItem, MenuSeparator, Skeleton } from "@holdfast/ui";
import { LogOut } from "lucide-react";
import { useSignOut } from "./use-sign-out.ts";
import { useVisitor } from "./use-visitor.ts";

export function AccountMenu() {
  const { data: visitor } = useVisitor();
  const leave = useSignOut();
  if (visitor?.kind !== "admin") return <Skeleton className="m-1 size-7 rounded-full" />;
  const { account } = visitor;
  return (
    <Menu
      align="end"
      trigger={
        <button
          type="button"
          aria-label={`Account of ${account.name}`}
          className="rounded-full p-1 transition-colors hover:bg-hover data-popup-open:bg-hover"
        >
          <Avatar name={account.name} />
        </button>
      }
    >
      <div className="flex flex-col px-2 py-1.5">
        <span className="font-medium">{account.name}</span>
        <span className="text-sm text-ink-muted">{account.email}</span>
      </div>
      <MenuSeparator />
      <MenuItem icon={<LogOut />} onClick={() => void leave()}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
