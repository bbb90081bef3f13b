/** The test files of a bundle by path. */
declare module "test-files" {
  export const files: Readonly<Record<string, () => Promise<unknown>>>;
}

declare module "vitest-itself" {
  export { expect, vi } from "vitest";
}
