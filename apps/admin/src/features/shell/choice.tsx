import { useId } from "react";

interface ChoiceProps<Value extends string> {
  label: string;
  name: string;
  value: Value;
  options: readonly { value: Value; name: string; what: string }[];
  onChange: (value: Value) => void;
}

/** One of a few, each with a line that says what it means. */
export function Choice<Value extends string>({ label, name, value, options, onChange }: ChoiceProps<Value>) {
  const id = useId();
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="pb-1.5 text-sm font-medium">{label}</legend>
      <div className="flex max-h-72 flex-col divide-y overflow-y-auto rounded-md border">
        {options.map((option) => (
          <div
            key={option.value}
            className="relative flex items-start gap-3 px-3 py-2 hover:bg-hover has-checked:bg-kelp-soft has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-kelp pointer-coarse:py-3"
          >
            <input
              id={`${id}-${option.value}`}
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
              aria-describedby={`${id}-${option.value}-what`}
              className="mt-1 accent-kelp"
            />
            <span className="flex flex-col">
              {/* Its invisible edge covers the row, so that the whole of it can be pressed. */}
              <label htmlFor={`${id}-${option.value}`} className="font-medium after:absolute after:inset-0">
                {option.name}
              </label>
              <span id={`${id}-${option.value}-what`} className="text-sm text-ink-muted">
                {option.what}
              </span>
            </span>
          </div>
        ))}
      </div>
    </fieldset>
  );
}
