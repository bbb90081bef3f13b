import { TensorError } from "@fcn/tensor";

/** Loads packages that only some users have. Throws `missing-package` with the line that installs them all. */
export async function optionalPackage<T>(op: string, names: readonly string[], load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes((cause as { code?: string }).code ?? "")) throw cause;
    throw new TensorError(
      {
        code: "missing-package",
        message: `${op}: needs ${names.join(" and ")}, which ${names.length === 1 ? "is" : "are"} not installed`,
        fix: `npm install ${names.join(" ")}`,
      },
      { cause },
    );
  }
}
