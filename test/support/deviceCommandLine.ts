/** The command line for tests of commands that call `createDevice`, which makes their files slow ones. */
export { fcn } from "./commandLine.js";
