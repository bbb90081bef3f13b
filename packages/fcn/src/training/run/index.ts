export { type OptimizerName, optimizerNames, type TrainRunOptions, type TrainRunView } from "./options.js";
export { RUN_FILES, type TrainRunResult, trainRun } from "./run.js";
