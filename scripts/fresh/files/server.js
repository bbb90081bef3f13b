// What a server does with a page: it imports the packages and renders text, without a GPU.
import { names } from "./step.js";

console.log(JSON.stringify({ html: `<p>${names.length} nets</p>`, gpu: "gpu" in (globalThis.navigator ?? {}) }));
