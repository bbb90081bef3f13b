import { useEffect, useState } from "preact/hooks";
import { noteError } from "../app/notes.js";
import { takeFiles } from "../app/taking.js";
import { filesOf } from "./dropped.js";

/** Takes what is dropped anywhere on the page, or pasted. */
export function Drop() {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const end = new AbortController();
    const { signal } = end;
    const over = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    window.addEventListener("dragover", over, { signal });
    window.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget === null && setOver(false), { signal });
    window.addEventListener(
      "drop",
      (event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer !== null) filesOf(event.dataTransfer).then(takeFiles).catch(noteError);
      },
      { signal },
    );
    window.addEventListener(
      "paste",
      ({ clipboardData }) => {
        const files = [...(clipboardData?.files ?? [])];
        if (files.length > 0) void takeFiles(files);
      },
      { signal },
    );
    return () => end.abort();
  }, []);
  return isOver ? (
    <div class="drop" aria-hidden="true">
      <p>Drop images, a folder, a zip or a weights file</p>
    </div>
  ) : null;
}
