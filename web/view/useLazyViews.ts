import { useEffect, useState } from 'preact/hooks';
import { backoff } from '../transport/backoff.ts';
import { lazyImport } from '../transport/lazyImport.ts';

type LazyViews = typeof import('./lazyViews.ts');

let loaded: LazyViews | undefined;
let loading: Promise<LazyViews> | undefined;

/**
 * The lazy views, undefined until they are loaded. They are fetched after the first paint, again with backoff where that
 * failed, and at once when `wanted` changes.
 */
export function useLazyViews(wanted: unknown): LazyViews | undefined {
  const [views, setViews] = useState(loaded);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const attempt = (failures: number) =>
      load().then(setViews, () => {
        if (!ended) timer = setTimeout(attempt, backoff(failures, Math.random), failures + 1);
      });
    void attempt(0);
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [wanted]);
  return views;
}

function load(): Promise<LazyViews> {
  loading ??= lazyImport(() => import('./lazyViews.ts')).then(
    (arrived) => {
      arrived.keepFocus(document);
      arrived.watchForInstall(window);
      loaded = arrived;
      return arrived;
    },
    (error) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}
