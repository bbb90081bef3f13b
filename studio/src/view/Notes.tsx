import { X } from "lucide-preact";
import { dismiss, notes, type ShownNote } from "../app/notes.js";
import { IconButton } from "./controls.js";

/** What the person is told, newest last. */
export function Notes() {
  return (
    <div class="notes" role="log" aria-label="Notes" aria-live="polite">
      {notes.value.map((one) => (
        <Note key={one.id} {...one} />
      ))}
    </div>
  );
}

function Note({ id, kind, message, fix, done }: ShownNote) {
  return (
    <div class={`note ${kind}`} role={kind === "error" ? "alert" : undefined}>
      <p>
        {message}
        {fix && <small>{fix}</small>}
        {kind === "progress" && <progress aria-label={message} value={done} max={1} />}
      </p>
      {kind !== "progress" && <IconButton label="Dismiss" icon={X} onClick={() => dismiss(id)} />}
    </div>
  );
}
