export { type Benchmark, type BenchmarkOptions, benchmark, type FailedPass, type PassTime } from "./benchmark.js";
export { savedTuning, saveTuning, tuningFile } from "./savedTuning.js";
export { makeWork, type WorkOptions } from "./work.js";
