/**
 * What `skipBad` does about each problem of a single image, by code: "out" leaves the image out, "gone" marks a file or
 * list entry that was already left out on opening, and "kept" concerns part of the labels, without which the image is
 * used. All other problems belong to the folder, its lists or its classes, and prevent training in any case.
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

/** Whether a folder with a problem of this code can be used with `skipBad`. */
export const isSkippable = (code: string): boolean => Object.hasOwn(PROBLEMS, code);

/** Whether an image with a problem of this code can be used with `skipBad`. */
export const isKept = (code: string): boolean => PROBLEMS[code] === "kept";
