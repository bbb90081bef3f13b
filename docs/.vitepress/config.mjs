import { defineConfig } from "vitepress";
import { runnableSamples } from "./samples/plugin.mjs";
import { apiSidebars, guideSidebar, kernelSidebar } from "./sidebar.mjs";

// Pages keep their paths in the repository, so that a link between two of them holds here and there.
export default defineConfig({
  title: "FCN on WebGPU",
  description: "Train and run fully convolutional networks for segmentation on any GPU, in Node and in the browser",
  base: process.env.DOCS_BASE ?? "/",
  srcDir: "..",
  srcExclude: [
    "packages/**",
    "studio/**",
    "test/**",
    "out/**",
    "node_modules/**",
    "**/node_modules/**",
    "README.md",
    "docs/reference/kernels/list.md",
  ],
  rewrites: { "docs/index.md": "index.md" },
  outDir: "../out/docs",
  cacheDir: "../out/.docs-cache",
  // Otherwise, every page holds the names of all others.
  metaChunk: true,
  // The search holds an index of all pages.
  vite: { build: { chunkSizeWarningLimit: 4000 }, worker: { format: "es" } },
  markdown: { config: runnableSamples },
  // The studio has a build of its own, which scripts/docs.mjs lays beside the pages.
  ignoreDeadLinks: [/^\/studio\//],
  themeConfig: {
    nav: [
      { text: "Guide", link: "/docs/guide/start" },
      { text: "Studio", link: "/studio/", target: "_self" },
      { text: "Kernels", link: "/docs/kernels" },
      { text: "API", link: "/docs/reference/api/" },
      { text: "PyTorch names", link: "/docs/pytorch" },
      { text: "Changes", link: "/CHANGELOG" },
    ],
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: { ...apiSidebars(), ...kernelSidebar(), "/": guideSidebar() },
  },
});
