export declare const MINIMUM_MESA: number;
export declare function parseOsRelease(text: string): Record<string, string>;
export declare function systemFamily(platform: string, osRelease: Record<string, string>): string;
export declare function adapterAdvice(system: {
  platform: string;
  osRelease: Record<string, string>;
  installer?: string;
}): { family: string; command: string; why: string };
export declare function packageAdvice(failure: {
  platform: string;
  osRelease: Record<string, string>;
  message: string;
}): string;
export declare function driverRemarks(machine: {
  platform: string;
  devices: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
}): string[];
