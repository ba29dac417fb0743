// Everything is kept at the first visit; afterwards no network is needed. A new export has a new name here.
const KEPT = "headswap-__VERSION__";
const FILES = __FILES__;

addEventListener("install", event => {
  event.waitUntil(caches.open(KEPT).then(cache => cache.addAll(FILES)).then(() => skipWaiting()));
});
addEventListener("activate", event => {
  const others = names => names.filter(name => name.startsWith("headswap-") && name !== KEPT);
  event.waitUntil(
    caches.keys().then(names => Promise.all(others(names).map(name => caches.delete(name)))).then(() => clients.claim())
  );
});
addEventListener("fetch", event => {
  if (event.request.method !== "GET") return;
  event.respondWith(
    caches.open(KEPT).then(cache => cache.match(event.request, {ignoreSearch: true})).then(kept => kept || fetch(event.request))
  );
});
