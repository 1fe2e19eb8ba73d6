"use client";
import { LogOut } from "lucide-react";
import type { ReactNode } from "react";
import { Avatar } from "./avatar.tsx";
import { Menu, MenuItem, MenuSeparator } from "./menu.tsx";
import { Skeleton } from "./skeleton.tsx";

interface AccountMenuProps {
  /** Undefined until it is known. */
  account: { name: string; email: string } | undefined;
  /** More about the account, a line each. */
  children?: ReactNode;
  onSignOut: () => void;
}

/** Who is signed in, and the way out. */
export function AccountMenu({ account, children, onSignOut }: AccountMenuProps) {
  if (account === undefined) return <Skeleton className="m-1 size-7 rounded-full" />;
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
        {children}
      </div>
      <MenuSeparator />
      <MenuItem icon={<LogOut />} onClick={onSignOut}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
