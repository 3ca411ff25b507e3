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

/**
 * Navigations to any other address than the app's go to the network first, and get the app only where there is none. A
 * login proxy has its pages there, or takes its answers (`/?code=…`), and PAST_WORKER leads to them.
 */
export function isNetworkFirst(request: { url: string; mode: string }): boolean {
  return request.mode === 'navigate' && !APP.test(request.url);
}

/** The address of the app, without a query. */
const APP = /^\w+:\/\/[^/]+\/(#|$)/;
const OF_SERVER = /^\/(api|socket\.io|healthz|readyz|metrics)(\/|$)/;
