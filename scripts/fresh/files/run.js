import { trainingSteps } from "./step.js";

console.log(JSON.stringify(await trainingSteps()));
