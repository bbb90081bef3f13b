import type { Random } from "../random.js";
import { HOSTILE_NAMES } from "./json.js";

const PIECES = [
  "\n",
  "\r\n",
  "\r",
  " ",
  "\t",
  ":",
  ",",
  "/",
  "\\",
  "..",
  "#",
  '"',
  "[",
  "{",
  "-1",
  "0",
  "255",
  "256",
  "1e9",
]
  .concat(["\u0000", "\ufeff", "\ufffd", "\ud83d\ude00", "é", "e\u0301", "\u202e", "x".repeat(3000), "NaN"])
  .concat(["99999999999999999999", "::", ";", "0x10", "1.5"]);

/** Changes of a text line by line. */
export function mutateText(text: string, r: Random): string {
  const lines = text.split("\n");
  for (let count = 1 + r.below(3); count > 0; count--) {
    const at = r.below(lines.length);
    const line = lines[at] ?? "";
    const place = r.below(line.length + 1);
    const choice = r.below(7);
    if (choice === 0) lines.splice(at, 1);
    else if (choice === 1) lines.splice(r.below(lines.length + 1), 0, line);
    else if (choice === 2) lines[at] = line.slice(0, place) + r.pick(PIECES) + line.slice(place);
    else if (choice === 3) lines[at] = line.slice(0, place) + line.slice(place + 1 + r.below(4));
    else if (choice === 4) lines[at] = r.pick([...HOSTILE_NAMES, ...PIECES]);
    else if (choice === 5) lines[at] = line.slice(0, place) + r.pick(PIECES) + line.slice(place + 1);
    else if (r.chance(0.1)) lines.splice(at, 0, ...new Array<string>(r.below(3000)).fill(line));
    else lines[at] = line.slice(place) + line.slice(0, place);
  }
  return lines.join("\n");
}
