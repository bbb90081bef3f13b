import { takeFiles } from "../app/taking.js";

/** Asks for files and takes what is chosen. */
export function pickFiles(): void {
  pick({ multiple: true, accept: "image/*,.zip,.safetensors" });
}

/** Asks for a folder: of images, or a data set. */
export function pickFolder(): void {
  pick({ webkitdirectory: true });
}

/** Asks for a weights file. */
export function pickWeights(): void {
  pick({ accept: ".safetensors" });
}

/** Asks for a zip of a data set or of a whole session. */
export function pickZip(): void {
  pick({ accept: ".zip,application/zip" });
}

function pick(options: Partial<Pick<HTMLInputElement, "multiple" | "accept" | "webkitdirectory">>): void {
  const input = Object.assign(document.createElement("input"), { type: "file" }, options);
  input.addEventListener("change", () => {
    void takeFiles([...(input.files ?? [])]);
  });
  input.click();
}
