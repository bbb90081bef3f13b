import { defineConfig } from "vite";
import { offline } from "./scripts/offline.js";

export default defineConfig({
  // Paths are relative, so that the folder works below any path of a server.
  base: "./",
  plugins: [offline()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  build: { target: "es2022", chunkSizeWarningLimit: 1000 },
});
