/**
 * What the functions of the queue do. Bundlers for browsers leave this file out, by `browser` in package.json: it loads
 * modules of Node, `bullmq` and `ioredis`.
 *
 * @module
 */
export { attachEvaluation, evaluate } from "./evaluate.js";
export { cancel, drain, jobs, retry } from "./jobs.js";
export { attach, predict } from "./predict.js";
export { attachSweep, sweep } from "./sweep.js";
export { work } from "./work.js";
