"use client";
import { useCallback, useState } from "react";
import type { Question, Reply } from "./conflicts.ts";

interface Asked {
  question: Question;
  reply: (reply: Reply | undefined) => void;
}

/** Asks a person, one question at a time, in the order asked. */
export function useConflictQuestion() {
  const [asked, setAsked] = useState<readonly Asked[]>([]);
  const current = asked[0];

  const ask = useCallback(
    (question: Question) =>
      new Promise<Reply | undefined>((resolve) => {
        setAsked((others) => [...others, { question, reply: resolve }]);
      }),
    [],
  );
  const reply = (given: Reply | undefined): void => {
    current?.reply(given);
    setAsked((others) => others.slice(1));
  };
  return { question: current?.question, ask, reply };
}
