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
