import { signal } from "@preact/signals";

/** One sentence for the person, and what can be done. */
export interface ShownNote {
  readonly id: number;
  readonly kind: "error" | "info" | "progress";
  readonly message: string;
  readonly fix?: string | undefined;
  /** Of work under way: how much is done, 0 to 1. */
  readonly done?: number | undefined;
}

export const notes = signal<readonly ShownNote[]>([]);

/** Milliseconds that a note which asks for nothing stays. */
const LASTS = 6000;
/** Notes that are shown at most; the oldest give way. */
const MOST = 4;
let count = 0;

/** Shows a note, unless the same is shown already, and returns its number. */
export function note(kind: ShownNote["kind"], message: string, fix?: string): number {
  const same = notes.value.find((one) => one.kind === kind && one.message === message && one.fix === fix);
  if (same !== undefined) return same.id;
  count += 1;
  const id = count;
  notes.value = [...notes.value, { id, kind, message, fix }].slice(-MOST);
  if (kind === "info") setTimeout(() => dismiss(id), LASTS);
  return id;
}

/** Shows what was thrown: its message, and its remedy where it has one. */
export function noteError(thrown: unknown): void {
  const { message, fix } = thrown as { message?: unknown; fix?: unknown };
  note("error", String(message ?? thrown), typeof fix === "string" ? fix : undefined);
}

export function dismiss(id: number): void {
  notes.value = notes.value.filter((one) => one.id !== id);
}

/** Runs work that takes a while, with a note of how far it is; what it throws becomes a note. */
export async function underWay<Result>(
  message: string,
  work: (tell: (done: number, message?: string) => void) => Promise<Result>,
): Promise<Result | undefined> {
  const id = note("progress", message);
  const tell = (done: number, text = message): void => {
    notes.value = notes.value.map((one) => (one.id === id ? { ...one, done, message: text } : one));
  };
  try {
    return await work(tell);
  } catch (thrown) {
    noteError(thrown);
    return undefined;
  } finally {
    dismiss(id);
  }
}
