import { render } from "preact";
import { onKey } from "./app/keyboard.js";
import { start } from "./app/start.js";
import { keepOffline } from "./offline.js";
import { App } from "./view/App.js";
import "./view/css/base.css";
import "./view/css/layout.css";
import "./view/css/controls.css";
import "./view/css/stage.css";
import "./view/css/panels.css";
import "./view/css/overlays.css";

const root = document.getElementById("app");
if (root === null) throw new Error('index.html has no element with the id "app"');
// What a module draws while the page is being parsed is laid out in the task that runs the module, and holds the page
// up in one piece: drawn in a task of its own, it is laid out with the next frame.
setTimeout(() => render(<App />, root));
window.addEventListener("keydown", onKey);
void start();
keepOffline();
