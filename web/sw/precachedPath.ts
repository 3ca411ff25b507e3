/** What of a request the service worker could have: a path of this origin; undefined is for the network alone. */
export function precachedPath(
  request: { url: string; method: string; mode: string },
  origin: string,
): string | undefined {
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== origin || SERVERS_OWN.test(url.pathname)) return undefined;
  return request.mode === 'navigate' ? '/index.html' : url.pathname;
}

const SERVERS_OWN = /^\/(api|socket\.io|healthz|readyz|metrics)(\/|$)/;
