export { type Benchmark, type BenchmarkOptions, benchmark, type FailedPass, type PassTime } from "./benchmark.js";
export type { WorkOptions } from "./work.js";
