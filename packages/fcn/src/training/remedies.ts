import type { Fix } from "@fcn/tensor";

/** A remedy for readers in code and at the command line; `say` gives the word of an option for the reader. */
export function bothWays(make: (say: (code: string, command: string) => string) => string): Fix {
  return { code: make((code) => code), command: make((_, command) => command) };
}
