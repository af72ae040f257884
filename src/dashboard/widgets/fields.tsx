import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  /** What it must be, and its default. */
  readonly hint: string;
  readonly error?: string | undefined;
}

function Field({ id, label, hint, error, children }: FieldProps & { id: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      <span id={`${id}-hint`} class={error === undefined ? "hint" : "error"}>
        {error ?? hint}
      </span>
    </div>
  );
}

/** A value that is typed: the text goes to whoever knows what it must be. */
export function TextField(props: FieldProps & { value: string; onChange: (text: string) => void }) {
  const id = useId();
  return (
    <Field id={id} {...props}>
      <input
        id={id}
        value={props.value}
        inputMode="decimal"
        aria-describedby={`${id}-hint`}
        aria-invalid={props.error !== undefined}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
    </Field>
  );
}

/** One of several values. */
export function ChoiceField(
  props: FieldProps & { value: string; choices: readonly string[]; onChange: (choice: string) => void },
) {
  const id = useId();
  return (
    <Field id={id} {...props}>
      <select
        id={id}
        value={props.value}
        aria-describedby={`${id}-hint`}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      >
        {props.choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Names with their figures. */
export function Figures({ of }: { of: Readonly<Record<string, string>> }) {
  return (
    <dl class="figures">
      {Object.entries(of).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
