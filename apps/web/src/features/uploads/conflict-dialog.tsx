"use client";
import { Button, Checkbox, Dialog, formatCount } from "@holdfast/ui";
import { useState } from "react";
import { useLast } from "../shell/use-last.ts";
import type { Question, Reply } from "./conflicts.ts";
import type { ConflictPolicy } from "./upload.ts";

const choices: readonly { policy: ConflictPolicy; title: string; effect: string }[] = [
  { policy: "keep-both", title: "Keep both", effect: "The new one gets a number after its name." },
  { policy: "replace", title: "Replace", effect: "The new one takes its place; the old one is kept as a version." },
  { policy: "skip", title: "Skip", effect: "What is here stays as it is." },
];

interface ConflictDialogProps {
  question: Question | undefined;
  onReply: (reply: Reply | undefined) => void;
}

export function ConflictDialog({ question, onReply }: ConflictDialogProps) {
  const [forAll, setForAll] = useState(false);
  const shown = useLast(question);

  /** The tick belongs to this upload: the next one must not be settled by it. */
  const reply = (policy?: ConflictPolicy): void => {
    setForAll(false);
    onReply(policy && { policy, forAll });
  };
  return (
    <Dialog
      open={question !== undefined}
      onClose={() => reply()}
      title={<span className="break-words">“{shown?.name}” is here already</span>}
      description={
        shown?.isFolder
          ? "The two folders become one. What about files that are in both?"
          : "What should happen with the one you are uploading?"
      }
    >
      <div className="flex flex-col gap-2">
        {choices.map(({ policy, title, effect }) => (
          <Button
            key={policy}
            className="h-auto flex-col items-start gap-0.5 py-2.5 text-left whitespace-normal pointer-coarse:h-auto"
            onClick={() => reply(policy)}
          >
            <span>{title}</span>
            <span className="text-sm font-normal text-ink-muted">{effect}</span>
          </Button>
        ))}
      </div>
      {shown !== undefined && shown.more > 0 && (
        <Checkbox checked={forAll} onChange={setForAll}>
          {shown.more === 1 ? "Do the same for the next one" : `Do the same for the other ${formatCount(shown.more, "name")}`}
        </Checkbox>
      )}
    </Dialog>
  );
}
