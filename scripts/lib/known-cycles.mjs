/** Folders and files that import each other, a list for each group of cycles. The lists only get shorter. */
export const KNOWN_CYCLES = [
  ["packages/fcn/src/training/criteria.ts", "packages/fcn/src/training/losses.ts"],
  [
    "packages/fcn/src/training/run/configuration.ts",
    "packages/fcn/src/training/run/data.ts",
    "packages/fcn/src/training/run/startFile.ts",
  ],
];
