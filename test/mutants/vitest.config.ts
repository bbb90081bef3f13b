import { defineConfig } from "vitest/config";
import root from "../../vitest.config.js";

const { projects: _, ...test } = root.test!;
const { MUTANTS_TESTS = "[]", MUTANTS_POOL = "threads" } = process.env;

/** The tests of one group as a single project: `MUTANTS_TESTS` lists their patterns. */
export default defineConfig({
  ...root,
  plugins: [
    ...(root.plugins ?? []),
    {
      name: "pool-of-mutants",
      // Stryker's runner wants threads, in which the adapter cannot be opened again and again.
      configureVitest: ({ project }) => void Object.assign(project.config, { pool: MUTANTS_POOL }),
    },
  ],
  test: { ...test, include: JSON.parse(MUTANTS_TESTS) as string[], testTimeout: 20_000 },
});
