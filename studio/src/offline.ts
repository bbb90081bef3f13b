/** Has the browser keep the page for visits without a network, where it can. The page works without that too. */
export function keepOffline(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("./serviceWorker.js").catch((error: unknown) => {
    console.warn("The page is not kept for use without a network:", error);
  });
}
