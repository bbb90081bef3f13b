import { fail } from "../../scripts/lib/system.mjs";

/** Options of a command line that are whole numbers from 1 on, by name. Ends the command at one that is not. */
export function wholeNumbers(texts) {
  const numbers = Object.entries(texts).map(([name, text]) => [name, Number(text)]);
  for (const [name, value] of numbers)
    if (!Number.isInteger(value) || value < 1) fail(`--${name} is ${texts[name]}`, "use a whole number from 1 on");
  return Object.fromEntries(numbers);
}
