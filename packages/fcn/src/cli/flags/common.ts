import { whole } from "../../options/rules.js";

/** The flag of every command that prints a result. */
export const JSON_OUTPUT = {
  json: { flag: "--json", help: "print one JSON object; progress goes to standard error" },
} as const;

/** The flag of commands that decode images. */
export const WORKERS = {
  workers: {
    flag: "--workers <n>",
    help: "threads that decode images; 0 for none",
    rule: whole(0),
    fallbackText: "by the number of cores",
  },
} as const;

/** The flag of commands that predict. */
export const WEIGHTS = {
  weights: {
    flag: "--weights <file...>",
    help: "file or address of the weights of a training run; with several, such as those of folds, the probabilities of all nets are averaged, which takes the time and the memory for weights of all",
    isRequired: true,
  },
} as const;
