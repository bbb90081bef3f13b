/** The tests of a group as a list, for Stryker's runs. */
export { files } from "test-files";
export { collect, runTest, tests } from "./suite.js";
