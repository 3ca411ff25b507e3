import { OURS } from '../load/whoAnswers.ts';

/**
 * Whether an answer is the file of the app that was requested from `url`. A login proxy or a captive portal redirects, or
 * answers every request with a page of its own, which must never be cached as the page or a chunk.
 */
export async function isOwnFile(url: string, response: Response): Promise<boolean> {
  if (response.redirected) return false;
  if (url.includes('.html')) return (await response.clone().text()).includes(OURS);
  return !response.headers.get('content-type')?.includes('html');
}
