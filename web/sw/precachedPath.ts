/**
 * The path under which the service worker may have cached the answer; undefined for requests that only the server can
 * answer.
 */
export function precachedPath(
  request: { url: string; method: string; mode: string },
  origin: string,
): string | undefined {
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== origin || OF_SERVER.test(url.pathname)) return undefined;
  return request.mode === 'navigate' ? '/index.html' : url.pathname;
}

const OF_SERVER = /^\/(api|socket\.io|healthz|readyz|metrics)(\/|$)/;
