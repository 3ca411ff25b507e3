/**
 * All that changes what was written before: in a chunk of its own, since nobody does that before the first paint. It is
 * fetched beside it, so that it is there when the network is not.
 */
export { edit, removeMessage } from './change.ts';
export { amend, discard, retry } from './parked.ts';
