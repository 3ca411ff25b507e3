import { useEffect, useState } from 'preact/hooks';
import { lazyImport } from '../load/lazyImport.ts';

type LazyViews = typeof import('./lazyViews.ts');

const AGAIN_MS = 3_000;

let loaded: LazyViews | undefined;
let loading: Promise<LazyViews> | undefined;

/**
 * The lazy views, undefined until they are loaded. They are fetched after the first paint, again every AGAIN_MS where that
 * failed, and at once when `wanted` changes.
 */
export function useLazyViews(wanted: unknown): LazyViews | undefined {
  const [views, setViews] = useState(loaded);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const attempt = () =>
      load().then(setViews, () => {
        if (!ended) timer = setTimeout(attempt, AGAIN_MS);
      });
    void attempt();
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
      arrived.followClock();
      arrived.followTranslation(document.body);
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
