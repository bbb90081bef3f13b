// Keeps the files of the page, so that it opens without a network. What is kept is served first; a new build is loaded
// beside it and takes over with the next visit.
const { version, files } = self.BUILD;
const CACHE = `fcn-studio-${version}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)));
});

self.addEventListener("activate", (event) => {
  const dropOthers = async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("fcn-studio-") && name !== CACHE);
    await Promise.all(names.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(dropOthers());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const isOwn = request.method === "GET" && request.url.startsWith(self.registration.scope);
  if (isOwn) event.respondWith(serve(request));
});

async function serve(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}
