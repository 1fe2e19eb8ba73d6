"use client";
import type { ComponentProps } from "react";

type FormProps = Omit<ComponentProps<"form">, "onSubmit" | "method"> & {
  /** With what the fields hold. */
  onSubmit: (fields: FormData) => void;
};

/**
 * A form that is submitted by script. One that is submitted before its script has loaded is sent by the browser, and then as
 * a POST: with a GET, what was typed would stand in the address, in the history and in every log on the way.
 */
export function Form({ onSubmit, ...props }: FormProps) {
  return (
    <form
      {...props}
      method="post"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget));
      }}
    />
  );
}

/** The text of a form's field; empty when the field is not there. */
export function textIn(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}
