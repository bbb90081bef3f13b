import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { defineConfig, type Plugin } from "vitest/config";
import { testKinds } from "./scripts/lib/test-kinds.mjs";

const MINUTE = 60_000;
const PACKAGES = fileURLToPath(new URL("packages/", import.meta.url));

/** The entries of the packages, as their manifests export them, but in their source. */
function sourceEntries(): { find: RegExp; replacement: string }[] {
  return readdirSync(PACKAGES).flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(`${PACKAGES}${folder}/package.json`, "utf8")) as {
      name: string;
      exports: Record<string, { default: string }>;
    };
    return Object.entries(exports).map(([path, { default: file }]) => ({
      find: new RegExp(`^${name}${path.slice(1)}$`),
      replacement: file.replace(/^\.\/dist\/(.*)\.js$/, `${PACKAGES}${folder}/src/$1.ts`),
    }));
  });
}

/** Source that names a file beside it means the built one: worker threads run JavaScript only. */
const builtNeighbours: Plugin = {
  name: "built-neighbours",
  enforce: "pre",
  transform(code, id) {
    const built = id.replace(/^(.*\/packages\/\w+\/)src\/(.*)\.ts$/, "$1dist/$2.js");
    if (built === id || !code.includes("import.meta.url")) return undefined;
    return { code: code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(built).href)), map: null };
  },
};

/**
 * Tests that measure the time of this machine, or open a browser on it, want it for themselves. That of all nets compiles
 * so many kernels that Mesa's driver needs half of the memory mappings that Linux gives a process.
 */
const ALONE = [
  "browser.test.ts",
  "fcn/cli/commands/tune.test.ts",
  "fcn/models/zoo.test.ts",
  "fcn/training/run/waiting.test.ts",
  "studio/learn/studioLearner.test.ts",
  "studio/page.test.ts",
  "studio/view/App.test.ts",
  "studio/view/Camera.test.ts",
  "studio/view/mainThread.test.ts",
  "profiles.test.ts",
  "sizes.test.ts",
  "tensor/ops/tiles.test.ts",
];
/** Tests that need no GPU and yet several seconds each: `npm run test:fast` leaves them to `npm test`. */
const LONG = [
  "deploy/kubernetes.test.ts",
  "fcn/data/check/lookalikes.test.ts",
  "fcn/data/workers/softEdges.test.ts",
  "fcn/models/graph/geometry/shapes.test.ts",
  "fcn/prediction/polygons/polygons.test.ts",
  "tensor/io/fuzz.test.ts",
];
/** Tests of what a device is, which need one that no other test has used. */
const OWN_DEVICE = [/^tensor\//, /^deviceLoss/];

const local = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const kinds: Record<"fast" | "slow", string[]> = testKinds(local("test"));
const fast = kinds.fast.filter((file) => !LONG.includes(file));
const slow = [...kinds.slow, ...LONG];
const ownsDevice = (file: string): boolean => OWN_DEVICE.some((pattern) => pattern.test(file));
const inTest = (files: readonly string[]): string[] =>
  files.filter((file) => !ALONE.includes(file)).map((file) => `test/${file}`);

export default defineConfig({
  plugins: [builtNeighbours],
  resolve: { alias: sourceEntries() },
  test: {
    environment: "node",
    globalSetup: ["test/global-setup.ts"],
    setupFiles: ["test/support/setup.ts"],
    // What was tuned on this machine has no say in tests.
    env: { FCN_TUNING: "off" },
    // What was transformed once is not transformed again, by the next run either.
    experimental: { fsModuleCache: true },
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 2 * MINUTE,
    hookTimeout: 2 * MINUTE,
    teardownTimeout: MINUTE,
    expect: { poll: { timeout: MINUTE / 2 } },
    projects: [
      {
        extends: true,
        // Whoever opens a GPU here is told so; which tests may is decided by what they import.
        resolve: { alias: { webgpu: local("test/support/noGpu.ts") } },
        test: { name: "fast", include: inTest(fast), sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        resolve: { alias: [{ find: /^@fcn\/tensor$/, replacement: local("test/support/sharedTensors.ts") }] },
        test: {
          name: "shared",
          include: inTest(slow.filter((file) => !ownsDevice(file))),
          // Some of them wait for other processes.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "slow", include: inTest(slow.filter(ownsDevice)), sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: ALONE.map((file) => `test/${file}`),
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
