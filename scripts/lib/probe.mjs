// Run as a child process: prints one JSON line that says whether Dawn finds an adapter. A separate process, because a
// broken driver can take it down, and because Dawn keeps Node alive.
async function probe() {
  let webgpu;
  try {
    webgpu = await import("webgpu");
  } catch (error) {
    return { found: false, reason: "package", message: String(error?.message ?? error).split("\n")[0] };
  }
  // Held by globalThis: Dawn hangs when this object is collected while it is in use.
  globalThis.pinnedGpu = webgpu.create([]);
  const adapter = await globalThis.pinnedGpu.requestAdapter();
  if (adapter === null || adapter.info.description.startsWith("Null")) return { found: false, reason: "no-adapter" };
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  return {
    found: true,
    software: isFallbackAdapter === true,
    name: description || device || `${vendor} ${architecture}`,
  };
}

probe().then(
  (result) => finish(result),
  (error) => finish({ found: false, reason: "crash", message: String(error?.message ?? error) }),
);

function finish(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
