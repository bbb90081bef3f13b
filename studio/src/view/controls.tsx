import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface ButtonProps {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  /** The key that does the same. */
  readonly keys?: string;
}

/** A button with an icon alone; its label is its name and its tip. */
export function IconButton({ label, icon: Icon, onClick, disabled, pressed, keys }: ButtonProps) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      aria-pressed={pressed}
      title={keys === undefined ? label : `${label} (${keys})`}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon size={18} aria-hidden="true" />
    </button>
  );
}

/** A button with words and an icon. */
export function Button({
  icon: Icon,
  children,
  onClick,
  disabled,
  kind = "plain",
}: {
  readonly icon?: LucideIcon;
  readonly children: ComponentChildren;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly kind?: "plain" | "primary" | "danger";
}) {
  return (
    <button type="button" class={`button ${kind}`} disabled={disabled} onClick={onClick}>
      {Icon && <Icon size={16} aria-hidden="true" />}
      {children}
    </button>
  );
}

export interface Choice<Value extends string | number> {
  readonly value: Value;
  readonly label: string;
  readonly icon?: LucideIcon;
  readonly keys?: string;
}

/** One of some values, as a row of radio buttons; with icons, the label is the tip. */
export function Choices<Value extends string | number>({
  name,
  choices,
  value,
  onChoose,
  iconsOnly = false,
}: {
  readonly name: string;
  readonly choices: readonly Choice<Value>[];
  readonly value: Value;
  readonly onChoose: (value: Value) => void;
  readonly iconsOnly?: boolean;
}) {
  const group = useId();
  return (
    <fieldset class="choices" data-icons={iconsOnly}>
      <legend class="unseen">{name}</legend>
      {choices.map(({ value: one, label, icon: Icon, keys }) => (
        <label key={one} title={keys === undefined ? label : `${label} (${keys})`}>
          <input type="radio" name={group} checked={one === value} aria-label={label} onChange={() => onChoose(one)} />
          {Icon && <Icon size={18} aria-hidden="true" />}
          {!iconsOnly && <span>{label}</span>}
        </label>
      ))}
    </fieldset>
  );
}

/** On or off. */
export function Switch({
  label,
  checked,
  onChange,
  hint,
}: {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly hint?: string;
}) {
  return (
    <label class="switch">
      <input
        class="knob"
        type="checkbox"
        role="switch"
        checked={checked}
        aria-checked={checked}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <span class="words">
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  );
}

/** A number on a line. */
export function Slider({
  label,
  value,
  least,
  most,
  onInput,
  shown,
  step = 1,
}: {
  readonly label: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly onInput: (value: number) => void;
  readonly shown: string;
  readonly step?: number;
}) {
  return (
    <label class="slider">
      <span>{label}</span>
      <input
        type="range"
        min={least}
        max={most}
        step={step}
        value={value}
        aria-valuetext={shown}
        onInput={({ currentTarget }) => onInput(Number(currentTarget.value))}
      />
      <output>{shown}</output>
    </label>
  );
}

/** A dialog over the page, closed by Escape, its button, or a click beside it. */
export function Dialog({
  title,
  children,
  onClose,
  wide = false,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly onClose: () => void;
  readonly wide?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it as well
    <dialog
      ref={element}
      class={wide ? "wide" : ""}
      aria-labelledby={heading}
      onClose={onClose}
      onClick={({ target }) => target === element.current && element.current?.close()}
    >
      <div class="inside">
        <header>
          <h2 id={heading}>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={() => element.current?.close()}>
            <span aria-hidden="true">✕</span>
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
