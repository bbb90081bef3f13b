/** What a page knows of the browser that it is in. */
export interface BrowserSurroundings {
  /** `navigator.userAgent`. */
  readonly userAgent: string;
  /** `isSecureContext`: whether the page came by https, from localhost or from a file. */
  readonly isSecure: boolean;
  /** Whether the code runs in a service worker. */
  readonly isServiceWorker: boolean;
  /** `navigator.maxTouchPoints`, by which an iPad that poses as a Mac is known. */
  readonly touchPoints: number;
}

/** Why there is no WebGPU, and what to do about it, each a clause in plain words. */
export interface WebGpuAdvice {
  readonly reason: string;
  readonly fix: string;
}

type System = "Android" | "ChromeOS" | "iOS" | "Linux" | "macOS" | "Windows" | "this system";
type Engine = "Chromium" | "Firefox" | "Safari" | "other";

/** A browser by its engine, and the version of that, 0 where the user agent does not say. */
interface Known extends BrowserSurroundings {
  readonly system: System;
  readonly engine: Engine;
  readonly version: number;
  readonly isWebView: boolean;
}

const SYSTEMS: readonly (readonly [RegExp, System])[] = [
  [/iPhone|iPad|iPod/, "iOS"],
  [/Android/, "Android"],
  [/CrOS/, "ChromeOS"],
  [/Windows/, "Windows"],
  [/Macintosh/, "macOS"],
  [/Linux|X11/, "Linux"],
];

/** Chromium names Safari too, and Android's old browser names a version of its own. */
const ENGINES: readonly (readonly [RegExp, Engine])[] = [
  [/Firefox\/(\d+)/, "Firefox"],
  [/Chrom(?:e|ium)\/(\d+)/, "Chromium"],
  [/Version\/(\d+)[\d.]* (?:Mobile\/\w+ )?Safari\//, "Safari"],
];

/** Pages within an app: Android marks its web view, apps name themselves, and on iOS the word Safari is missing. */
const WEB_VIEW = /; wv\)|FBA[NV]\/|Instagram|\bLine\/|MicroMessenger|musical_ly|BytedanceWebview|Snapchat|LinkedInApp/;

function known(where: BrowserSurroundings): Known {
  const { userAgent, touchPoints } = where;
  const named = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? "this system";
  const system = named === "macOS" && touchPoints > 1 ? "iOS" : named;
  const [engine, version] = ENGINES.reduce<readonly [Engine, number]>(
    (found, [pattern, name]) => {
      const match = found[0] === "other" ? pattern.exec(userAgent) : null;
      return match ? [name, Number(match[1])] : found;
    },
    ["other", 0],
  );
  if (system === "iOS") {
    // Every browser there is Safari within, of the version of the system.
    const [, number] = /Version\/(\d+)/.exec(userAgent) ?? / OS (\d+)_/.exec(userAgent) ?? [];
    const isWebView = WEB_VIEW.test(userAgent) || !userAgent.includes("Safari/");
    return { ...where, system, engine: "Safari", version: Number(number ?? 0), isWebView };
  }
  return { ...where, system, engine, version, isWebView: WEB_VIEW.test(userAgent) };
}

const CHROME = "use Chrome, Edge or another browser on Chromium";
const FLAGS =
  "switch on chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan and restart the browser; chrome://gpu shows what WebGPU finds";

interface Row extends WebGpuAdvice {
  readonly when: (of: Known) => boolean;
}

/**
 * The first row that fits speaks. Which version of a browser has WebGPU on which system is from MDN's data of browser
 * compatibility (`api.GPU`), of August 2026.
 */
const ROWS: readonly Row[] = [
  {
    when: ({ isSecure }) => !isSecure,
    reason: "browsers offer WebGPU to secure pages alone, and this one came by plain http",
    fix: "serve the page over https, or open it by http://localhost while developing",
  },
  {
    when: ({ engine, isServiceWorker }) => engine === "Firefox" && isServiceWorker,
    reason: "Firefox has no WebGPU in service workers",
    fix: "open the device in the page or in a worker of its own",
  },
  {
    when: ({ isWebView }) => isWebView,
    reason: "this page is shown within an app, whose browser may lack WebGPU",
    fix: "open the page in the browser itself: the menu of the app offers that, often as three dots",
  },
  {
    when: ({ system, version }) => system === "iOS" && version < 26,
    reason: "browsers on iOS and iPadOS have WebGPU from version 26 of the system on",
    fix: "update the system to version 26 or later (Settings, General, Software Update)",
  },
  {
    when: ({ engine, version }) => engine === "Safari" && version < 26,
    reason: "Safari has WebGPU from version 26 on",
    fix: `update to macOS 26 or later, or ${CHROME}`,
  },
  {
    when: ({ engine }) => engine === "Safari",
    reason: "Safari gives no GPU to this page",
    fix: `update the system, close other pages that use the GPU and reload this one; on a Mac you may also ${CHROME}`,
  },
  {
    when: ({ engine, system }) => engine === "Firefox" && system === "Android",
    reason: "Firefox for Android has no WebGPU",
    fix: "use Chrome, from version 121 on",
  },
  {
    when: ({ engine, system }) => engine === "Firefox" && system === "Linux",
    reason: "Firefox for Linux has no WebGPU in its releases",
    fix: "use Firefox Nightly, or Chrome or Chromium with chrome://flags/#enable-unsafe-webgpu switched on",
  },
  {
    when: ({ engine, system, version }) => engine === "Firefox" && system === "macOS" && version < 147,
    reason: "Firefox has WebGPU from version 147 on, on Macs with Apple silicon (from 145 on with macOS 26)",
    fix: `update Firefox; on a Mac with an Intel processor ${CHROME}`,
  },
  {
    when: ({ engine, system }) => engine === "Firefox" && system === "macOS",
    reason:
      "Firefox has WebGPU on Macs with Apple silicon alone, unless about:config has dom.webgpu.enabled set to false",
    fix: `look for WebGPU in about:support; on a Mac with an Intel processor ${CHROME}`,
  },
  {
    when: ({ engine, version }) => engine === "Firefox" && version < 141,
    reason: "Firefox has WebGPU from version 141 on",
    fix: "update Firefox",
  },
  {
    when: ({ engine }) => engine === "Firefox",
    reason: "Firefox has WebGPU switched off, or does not trust the driver of this GPU",
    fix: `look for WebGPU in about:support, set dom.webgpu.enabled to true in about:config, update the driver, or ${CHROME}`,
  },
  {
    when: ({ engine, system, version }) => engine === "Chromium" && system === "Android" && version < 121,
    reason: "Chrome for Android has WebGPU from version 121 on",
    fix: "update the browser",
  },
  {
    when: ({ engine, system }) => engine === "Chromium" && system === "Android",
    reason: "Chrome has WebGPU from Android 12 on, and not for every GPU",
    fix: "update Android and the browser, or open the page on another device",
  },
  {
    when: ({ engine, version }) => engine === "Chromium" && version < 113,
    reason: "browsers on Chromium have WebGPU from version 113 on",
    fix: "update the browser",
  },
  {
    when: ({ engine, system }) => engine === "Chromium" && system === "Linux",
    reason: "Chromium for Linux has WebGPU from version 144 on, by itself for Intel's GPUs from the 12th generation on",
    fix: `update the browser; for other GPUs ${FLAGS}`,
  },
  {
    when: ({ engine }) => engine === "Chromium",
    reason: "the browser does not use the GPU: hardware acceleration is off, or the driver is blocked",
    fix: "switch on graphics acceleration in the settings under System, update the driver and restart the browser; chrome://gpu shows what WebGPU finds",
  },
];

const UNKNOWN: WebGpuAdvice = {
  reason: "this browser has no WebGPU",
  fix: "use a browser that has it: Chrome or Edge from version 113 on, Safari from 26 on, or Firefox from 141 on on Windows",
};

/** What a page can find out about the browser that it is in; outside of browsers the user agent is empty. */
function surroundings(): BrowserSurroundings {
  const { navigator, isSecureContext } = globalThis as Partial<typeof globalThis>;
  return {
    userAgent: navigator?.userAgent ?? "",
    isSecure: isSecureContext ?? true,
    isServiceWorker: "ServiceWorkerGlobalScope" in globalThis,
    touchPoints: navigator?.maxTouchPoints ?? 0,
  };
}

/**
 * Why a browser has no WebGPU, or no adapter, and what its user can do, by browser, version and system: for a page that
 * wants to say so itself. The errors `no-webgpu` and `no-adapter` of `createDevice` say the same. What is not given is
 * that of the page.
 *
 * @example
 * ```ts
 * import { adviceWithoutWebGpu, createDevice, hasCode } from "@fcn/tensor";
 *
 * const device = await createDevice({ quiet: true }).catch((error) => {
 *   if (!hasCode(error, "no-webgpu", "no-adapter")) throw error;
 *   const { reason, fix } = adviceWithoutWebGpu();
 *   document.body.textContent = `No WebGPU: ${reason}. To use this page, ${fix}.`;
 * });
 * device?.destroy();
 * ```
 */
export function adviceWithoutWebGpu(where: Partial<BrowserSurroundings> = {}): WebGpuAdvice {
  const of = known({ ...surroundings(), ...where });
  const { reason, fix } = ROWS.find(({ when }) => when(of)) ?? UNKNOWN;
  return { reason, fix };
}
