import { adviceWithoutWebGpu, type BrowserSurroundings, createDevice, hasCode } from "@fcn/tensor";
import { describe, expect, it } from "vitest";

const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const chromeOn = (system: string, version: number, tail = "") =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36${tail}`;
const firefoxOn = (system: string, version: number) =>
  `Mozilla/5.0 (${system}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;
const WINDOWS = "Windows NT 10.0; Win64; x64";
const LINUX = "X11; Linux x86_64";
const FACEBOOK =
  "Mozilla/5.0 (Linux; Android 13; SM-S901U; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/469.0.0.0.0;]";
const INSTAGRAM = `${IPHONE} Mobile/15E148 Instagram 334.0.4.32.98 (iPhone14,5; iOS 17_5_1; en_US; en; scale=3.00; 1170x2532; 607641404)`;

/** Browsers by their user agents, the words that name the reason, and those of the remedy. */
const CASES: readonly [string, Partial<BrowserSurroundings>, RegExp, RegExp][] = [
  ["Chrome on Windows by http", { userAgent: chromeOn(WINDOWS, 140), isSecure: false }, /plain http/, /https/],
  ["Safari by http", { userAgent: `${MAC} Version/26.0 Safari/605.1.15`, isSecure: false }, /plain http/, /localhost/],
  ["an old Chrome on Windows", { userAgent: chromeOn(WINDOWS, 109) }, /version 113/, /^update the browser$/],
  ["an old Edge", { userAgent: chromeOn(WINDOWS, 110, " Edg/110.0.1587.57") }, /version 113/, /^update/],
  ["Chrome on Windows", { userAgent: chromeOn(WINDOWS, 140) }, /acceleration is off/, /chrome:\/\/gpu/],
  ["Chrome on ChromeOS", { userAgent: chromeOn("X11; CrOS x86_64 14541.0.0", 140) }, /acceleration is off/, /driver/],
  ["Chrome on Linux", { userAgent: chromeOn(LINUX, 126) }, /Linux has WebGPU from version 144/, /enable-unsafe-webgpu/],
  ["Chromium on Linux", { userAgent: chromeOn(LINUX, 150) }, /Intel's GPUs/, /enable-vulkan/],
  [
    "Chrome on an old Android",
    {
      userAgent:
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36",
    },
    /from version 121/,
    /^update the browser$/,
  ],
  [
    "Samsung Internet",
    {
      userAgent:
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
    },
    /Android 12/,
    /another device/,
  ],
  ["Facebook on Android", { userAgent: FACEBOOK }, /within an app/, /in the browser itself/],
  ["Instagram on iOS", { userAgent: INSTAGRAM }, /within an app/, /menu of the app/],
  ["Firefox on Linux", { userAgent: firefoxOn(LINUX, 150) }, /Linux has no WebGPU/, /Nightly/],
  ["Firefox on Android", { userAgent: firefoxOn("Android 14; Mobile", 150) }, /Android has no WebGPU/, /use Chrome/],
  ["an old Firefox on Windows", { userAgent: firefoxOn(WINDOWS, 128) }, /version 141/, /^update Firefox$/],
  ["Firefox on Windows", { userAgent: firefoxOn(WINDOWS, 150) }, /switched off/, /about:support/],
  ["Firefox on a Mac", { userAgent: firefoxOn("Macintosh; Intel Mac OS X 10.15", 146) }, /version 147/, /Intel/],
  ["a new Firefox on a Mac", { userAgent: firefoxOn("Macintosh; Intel Mac OS X 10.15", 150) }, /silicon/, /Intel/],
  [
    "a service worker of Firefox",
    { userAgent: firefoxOn(WINDOWS, 150), isServiceWorker: true },
    /no WebGPU in service workers/,
    /worker of its own/,
  ],
  ["Safari before 26", { userAgent: `${MAC} Version/18.5 Safari/605.1.15` }, /from version 26/, /macOS 26/],
  ["Safari 26", { userAgent: `${MAC} Version/26.1 Safari/605.1.15` }, /gives no GPU/, /update the system/],
  ["Safari on iOS 17", { userAgent: `${IPHONE} Version/17.5 Mobile/15E148 Safari/604.1` }, /iOS/, /Software Update/],
  ["Chrome on iOS 17", { userAgent: `${IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1` }, /iOS/, /version 26/],
  ["Firefox on iOS 17", { userAgent: `${IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15` }, /iOS/, /version 26/],
  [
    "an iPad that poses as a Mac",
    { userAgent: `${MAC} Version/17.5 Safari/605.1.15`, touchPoints: 5 },
    /iPadOS/,
    /Software Update/,
  ],
  ["what is not known", { userAgent: "Lynx/2.9.0 libwww-FM/2.14" }, /this browser has no WebGPU/, /Chrome or Edge/],
];

const PAGE: BrowserSurroundings = { userAgent: "", isSecure: true, isServiceWorker: false, touchPoints: 0 };

describe("without WebGPU", () => {
  it.each(CASES)("%s is told why and what to do", (_, given, reason, fix) => {
    const advice = adviceWithoutWebGpu({ ...PAGE, ...given });
    expect(advice.reason).toMatch(reason);
    expect(advice.fix).toMatch(fix);
    // Both are put into sentences.
    for (const text of Object.values(advice)) expect(text).not.toMatch(/^\s|\.\s*$|\bundefined\b/);
  });

  it("the error of a page has the same words", async () => {
    const names = ["process", "navigator", "isSecureContext"] as const;
    const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
    const replace = (name: string, value: unknown): void => {
      Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
    };
    const userAgent = firefoxOn(LINUX, 150);
    const { process: node } = globalThis;
    let error: unknown;
    try {
      replace("process", { ...node, versions: {} });
      replace("navigator", { userAgent, maxTouchPoints: 0 });
      replace("isSecureContext", true);
      error = await createDevice().catch((reason: unknown) => reason);
    } finally {
      for (const [name, of] of before) {
        if (of) Object.defineProperty(globalThis, name, of);
        else Reflect.deleteProperty(globalThis, name);
      }
    }
    if (!hasCode(error, "no-webgpu")) throw error;
    const { reason, fix } = adviceWithoutWebGpu({ ...PAGE, userAgent });
    expect(error.message).toBe(`createDevice: there is no navigator.gpu: ${reason}`);
    expect(error.fix).toBe(fix);
  });
});
