"use client";
import { ContextMenu as BaseContext } from "@base-ui/react/context-menu";
import { Menu as Base } from "@base-ui/react/menu";
import type { ComponentProps, ReactElement, ReactNode } from "react";
import { cn } from "./class-names.ts";

const popup = "floats min-w-52 origin-(--transform-origin) rounded-md bg-raised p-1 shadow-md outline-hidden";
const item =
  "flex h-8 w-full cursor-default items-center gap-2.5 rounded-[0.25rem] px-2 text-base text-ink outline-hidden select-none data-disabled:opacity-45 data-highlighted:bg-hover pointer-coarse:h-11 [&_svg]:size-4 [&_svg]:text-ink-muted";

/** Menus are drawn at the end of the page; there too, nothing may stand outside a landmark. */
const landmark = { role: "region", "aria-label": "Menu" };

/** Opens under `trigger`, which is a button of its own. */
export function Menu({ trigger, children, align = "start" }: { trigger: ReactElement; children: ReactNode; align?: "start" | "end" }) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal {...landmark}>
        <Base.Positioner align={align} sideOffset={4} className="z-40 outline-hidden">
          <Base.Popup className={popup}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

interface ContextMenuProps extends Omit<ComponentProps<typeof BaseContext.Trigger>, "children"> {
  /** The items; they appear at the pointer on right click or long press, or at the element on the menu key. */
  items: ReactNode;
  children: ReactNode;
  onOpenChange?: (open: boolean) => void;
}

export function ContextMenu({ items, children, onOpenChange, ...area }: ContextMenuProps) {
  return (
    <BaseContext.Root onOpenChange={onOpenChange}>
      <BaseContext.Trigger {...area}>{children}</BaseContext.Trigger>
      <BaseContext.Portal {...landmark}>
        <BaseContext.Positioner className="z-40 outline-hidden">
          <BaseContext.Popup className={popup}>{items}</BaseContext.Popup>
        </BaseContext.Positioner>
      </BaseContext.Portal>
    </BaseContext.Root>
  );
}

interface MenuItemProps extends Omit<ComponentProps<typeof Base.Item>, "className"> {
  icon?: ReactNode;
  /** The key that does the same without the menu. */
  shortcut?: string;
  danger?: boolean;
  className?: string;
}

export function MenuItem({ icon, shortcut, danger = false, className, children, ...props }: MenuItemProps) {
  return (
    <Base.Item className={cn(item, danger && "text-unreadable [&_svg]:text-unreadable", className)} {...props}>
      {icon}
      <span className="flex-1">{children}</span>
      {shortcut && <kbd className="pl-4 font-sans text-xs text-ink-faint pointer-coarse:hidden">{shortcut}</kbd>}
    </Base.Item>
  );
}

/** An item that is an address: opens in a new tab, can be copied, works without script. */
export function MenuLink({
  icon,
  children,
  className,
  ...props
}: Omit<ComponentProps<typeof Base.LinkItem>, "className"> & { icon?: ReactNode; className?: string }) {
  return (
    <Base.LinkItem closeOnClick className={cn(item, className)} {...props}>
      {icon}
      <span className="flex-1">{children}</span>
    </Base.LinkItem>
  );
}

export function MenuSeparator() {
  return <Base.Separator className="mx-1 my-1 h-px bg-line" />;
}
