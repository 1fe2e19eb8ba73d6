/** Why the server would not, beside the form that asked; announced when it appears. */
export function Refusal({ words }: { words: string | undefined }) {
  return words === undefined ? null : (
    <p role="alert" className="text-unreadable">
      {words}
    </p>
  );
}
