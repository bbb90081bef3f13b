import type { AnyOpCase } from "@fcn/kernels";

export function loadCases(folder: string): Promise<readonly AnyOpCase[]>;
