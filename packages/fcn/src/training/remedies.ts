import type { Fix } from "@fcn/tensor";

/** A remedy for both code and the command line. `say` picks the wording for the reader. */
export function bothWays(make: (say: (code: string, command: string) => string) => string): Fix {
  return { code: make((code) => code), command: make((_, command) => command) };
}
