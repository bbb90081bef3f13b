/**
 * Problems of single images by their code, and what `skipBad` does: "out" leaves the image out, "gone" is that of a
 * file or an entry of a list which was left out while the folder was opened, "kept" that of a part of the labels,
 * without which the image is used. All other problems are those of the folder, of its lists or of its classes: they
 * stop a training in any case.
 */
const PROBLEMS: Readonly<Record<string, "out" | "gone" | "kept">> = {
  "unreadable-file": "out",
  "missing-data": "out",
  "corrupt-file": "out",
  "unsupported-file": "out",
  "size-mismatch": "out",
  "label-out-of-range": "out",
  "unknown-colour": "out",
  "unknown-label": "out",
  "worker-failed": "out",
  "image-without-mask": "gone",
  "mask-without-image": "gone",
  "same-name": "gone",
  "lost-name": "gone",
  "broken-link": "gone",
  "missing-image": "gone",
  "missing-sample": "gone",
  "bad-entry": "gone",
  "ambiguous-name": "gone",
  "same-image": "out",
  "unknown-category": "kept",
  "bad-shape": "kept",
};

/** Whether a problem of this code does not keep a folder from being used with `skipBad`. */
export const isSkippable = (code: string): boolean => Object.hasOwn(PROBLEMS, code);

/** Whether an image in whose files a problem of this code was found can be used with `skipBad`. */
export const isKept = (code: string): boolean => PROBLEMS[code] === "kept";
