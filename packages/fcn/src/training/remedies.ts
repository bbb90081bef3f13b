/** A remedy for readers in code and at the command line; `say` gives the word of an option for the reader. */
export function bothWays(make: (say: (code: string, command: string) => string) => string): {
  readonly fix: string;
  readonly commandFix: string;
} {
  return { fix: make((code) => code), commandFix: make((_, command) => command) };
}
