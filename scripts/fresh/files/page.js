import { trainingSteps } from "./step.js";

globalThis.result = trainingSteps().catch((error) => ({ error: String(error) }));
