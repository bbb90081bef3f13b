import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

export default defineConfig({
  test: {
    environment: "node",
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    globalSetup: ["test/global-setup.ts"],
    // What was tuned on this machine has no say in tests.
    env: { FCN_TUNING: "off" },
    pool: "forks",
    // Files share one adapter: two at a time would measure each other's memory and fight for the same cores.
    fileParallelism: false,
    testTimeout: 2 * MINUTE,
    hookTimeout: 2 * MINUTE,
    teardownTimeout: MINUTE,
  },
});
