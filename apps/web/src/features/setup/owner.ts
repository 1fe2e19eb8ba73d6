import { textIn } from "@holdfast/ui";

/** What the set-up form asks for, and the words when it is not there. The server checks everything again. */
export type OwnerFields = "name" | "email" | "password" | "code";

export interface Owner {
  name: string;
  email: string;
  password: string;
  code?: string;
}

const PASSWORD_LENGTH_MIN = 8;

/** Either an owner, or a fault for each field that needs another look. */
export function readOwner(form: FormData): { owner?: Owner; faults: Partial<Record<OwnerFields, string>> } {
  const text = (field: OwnerFields): string => textIn(form, field);
  const owner: Owner = { name: text("name").trim(), email: text("email").trim(), password: text("password") };
  if (form.has("code")) owner.code = text("code").trim();

  const faults: Partial<Record<OwnerFields, string>> = {};
  if (owner.name === "") faults.name = "Enter your name.";
  if (!/^[^\s@]+@[^\s@]+$/.test(owner.email)) faults.email = "Enter an email address, like you@example.org.";
  if (owner.password.length < PASSWORD_LENGTH_MIN) faults.password = `Use at least ${PASSWORD_LENGTH_MIN} characters.`;
  if (owner.code === "") faults.code = "Enter the code that the server printed.";
  return Object.keys(faults).length === 0 ? { owner, faults } : { faults };
}
