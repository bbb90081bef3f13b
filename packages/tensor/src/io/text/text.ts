import { guessEncoding } from "./encodings.js";

/** Where bytes stop being UTF-8 text, and their most likely encoding. */
export interface TextFault {
  /** Position of the first invalid byte. */
  readonly offset: number;
  /** Counts from 1. */
  readonly line: number;
  readonly byte: number;
  /** The name that `iconv -f` takes. */
  readonly encoding: string;
  /** If not sure, other encodings in which the bytes are text, the most likely first. */
  readonly others: readonly string[];
  /** Whether the text looks like a language in that encoding. Otherwise it is only an example of a possible one. */
  readonly isSure: boolean;
}

/**
 * The text of a file in UTF-8, or in UTF-16 with a byte order mark, without the mark. For other bytes, returns where
 * they stop being text; characters are never replaced.
 */
export function decodeText(bytes: Uint8Array): string | TextFault {
  try {
    const text = new TextDecoder(markedEncoding(bytes), { fatal: true }).decode(bytes);
    return text.includes("\0") ? faultAt(bytes, bytes.indexOf(0)) : text;
  } catch {
    return faultAt(bytes, firstWrongByte(bytes));
  }
}

export const describeFault = ({ offset, line, byte, encoding, isSure }: TextFault): string =>
  `it is not UTF-8 text: byte ${offset} (0x${byte.toString(16).padStart(2, "0")}, in line ${line}) is invalid${isSure ? `; it looks like ${encoding}` : ""}`;

/** A path or name as one word for a POSIX shell. */
export const shellWord = (text: string): string =>
  /^[\w./@:+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** The fix for text in another encoding; `file` is the name to use in the shell command. */
export function recodeFix(file: string, { encoding, isSure, others }: TextFault): string {
  const command = `iconv -f ${encoding} -t UTF-8 ${shellWord(file)} > utf8.txt, then put utf8.txt in its place, and likewise all others of the same source`;
  if (isSure) return `save it as UTF-8: ${command}`;
  const more = others.length === 0 ? "" : ` (it may be ${others.join(" or ")} too: take what shows the right letters)`;
  return `save it as UTF-8; for example, where it is ${encoding}: ${command}${more}`;
}

/** Little-endian UTF-32 begins like UTF-16. */
function markedEncoding(bytes: Uint8Array): string {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe && !(c === 0 && d === 0)) return "utf-16le";
  return a === 0xfe && b === 0xff ? "utf-16be" : "utf-8";
}

function faultAt(bytes: Uint8Array, offset: number): TextFault {
  let line = 1;
  for (let i = 0; i < offset; i++) if (bytes[i] === 0x0a) line++;
  return { offset, line, byte: bytes[offset] ?? 0, ...guessEncoding(bytes) };
}

const REPLACEMENT = "\ufffd";
const REPLACEMENT_BYTES = [0xef, 0xbf, 0xbd];

/** The position of the first byte that is not valid UTF-8. A decoder shows it by a character that text may have too. */
function firstWrongByte(bytes: Uint8Array): number {
  const pieces = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split(REPLACEMENT);
  let at = 0;
  for (const piece of pieces) {
    at += new TextEncoder().encode(piece).length;
    if (REPLACEMENT_BYTES.some((byte, i) => bytes[at + i] !== byte)) return at;
    at += REPLACEMENT_BYTES.length;
  }
  return 0;
}
