import { existsSync } from "node:fs";

/** Where the systems keep Chromium and its kin. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/**
 * What Chromium is started with for WebGPU on any machine, and to leave the network alone. Its GPU process ends when
 * WebGPU draws on a canvas, or reads a VideoFrame, unless the page is put together by SwiftShader's Vulkan as well.
 */
export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--use-angle=swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The program named by FCN_CHROMIUM, or one in a usual place; undefined where there is none. */
export function chromiumPath() {
  const named = process.env.FCN_CHROMIUM;
  return (named ? [named] : PLACES).find((path) => existsSync(path));
}

/** The same; throws with what mends it where there is none. */
export function findChromium() {
  const path = chromiumPath();
  if (path !== undefined) return path;
  const named = process.env.FCN_CHROMIUM;
  const missing = named ? `FCN_CHROMIUM is ${named}, where there is nothing` : "this machine has no Chromium";
  throw new Error(
    `${missing}; on Debian: apt-get install chromium. Elsewhere install Chrome, or name one in FCN_CHROMIUM`,
  );
}
