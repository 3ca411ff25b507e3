/** Finds out who answers at the app's own address, when a chunk or a connection could not be had. */
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';

/**
 * `nobody`: no network, no server, or a gateway whose server is down. `stranger`: something else than Holdfast, such as
 * the sign-in page of a network or of a proxy. `other-build`: Holdfast, with another build of the page than this one.
 */
export type Answering = 'nobody' | 'stranger' | 'this-build' | 'other-build';

/** An address of the page that the service worker leaves to the network, also for navigations (isNetworkFirst). */
export const PAST_WORKER = '/?network';

/** `script`: the path of this page's script, which web/index.html names. */
export async function whoAnswers(
  fetch: typeof globalThis.fetch,
  script = new URL(import.meta.url).pathname,
): Promise<Answering> {
  try {
    const response = await fetch(PAST_WORKER, {
      cache: 'no-store',
      redirect: 'manual', // Holdfast does not redirect
      signal: AbortSignal.timeout(CONNECT_WITHIN_MS),
    });
    if (response.type === 'opaqueredirect') return 'stranger';
    const isServerAway = response.status >= 500 || response.status === 429;
    if (isServerAway || response.headers.get('content-type')?.includes('json')) return 'nobody';
    const page = await response.text();
    if (!page.includes(OURS)) return 'stranger';
    return page.includes(script) ? 'this-build' : 'other-build';
  } catch {
    return 'nobody';
  }
}

/** A file that web/index.html names in every build. */
export const OURS = '/too-old.js';
