import { cn } from "./class-names.ts";

/** A person by their initials. Decorative: the name stands beside it or names the button around it. */
export function Avatar({ name, className }: { name: string; className?: string }) {
  return (
    // The letters are drawn and not written: to a screen reader or a search in the page they are nobody's name.
    <span
      aria-hidden
      data-initials={initials(name)}
      className={cn(
        "before:content-[attr(data-initials)] inline-flex size-7 shrink-0 items-center justify-center rounded-full bg-kelp-soft text-xs font-semibold text-kelp select-none",
        className,
      )}
    />
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/u);
  const shown = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return shown.map(firstLetter).join("").toLocaleUpperCase() || "?";
}

/** The first letter as people count letters: an emoji or a letter with accents is one. */
function firstLetter(word = ""): string {
  return new Intl.Segmenter().segment(word).containing(0)?.segment ?? "";
}
