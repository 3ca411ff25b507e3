import { lazyImport } from '../load/lazyImport.ts';

/** The chunk of later.ts, which the browser fetches once. Rejects where it cannot be fetched. */
export const loadLater = () => lazyImport(() => import('./later.ts'));
