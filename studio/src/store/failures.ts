import { StudioError } from "../session/errors.js";

/** What the browser's storage refused, told to the person. */
export function storageError(cause: unknown): StudioError {
  if (cause instanceof StudioError) return cause;
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "";
  const options = { cause };
  if (name === "QuotaExceededError") {
    return new StudioError(
      "storage-full",
      "The browser has no room left for this page, so the last change is not kept for the next visit.",
      "Take away what you need with Export, then remove images, or free space on the disk.",
      options,
    );
  }
  if (name === "SecurityError" || name === "NotAllowedError") {
    return new StudioError(
      "storage-denied",
      "The browser keeps nothing for this page, so all is lost when the tab is closed.",
      "Allow this page to store data on this device (cookies and site data), or take away what you made with Export.",
      options,
    );
  }
  if (name === "NotReadableError" || name === "NotFoundError") {
    return new StudioError(
      "storage-damaged",
      "A file cannot be read: it was moved, changed or removed.",
      "Add the file again.",
      options,
    );
  }
  return damaged(`the browser says "${cause instanceof Error ? cause.message : String(cause)}"`, options);
}

/** What was kept is not what the studio wrote. */
export function damaged(why: string, options?: ErrorOptions): StudioError {
  return new StudioError(
    "storage-damaged",
    `What the browser kept of the last visit cannot be used: ${why}.`,
    "Reload the page; if this comes again, delete what is kept and begin anew, or import an export.",
    options,
  );
}
