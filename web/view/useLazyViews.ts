import { useEffect, useState } from 'preact/hooks';

type LazyViews = typeof import('./lazyViews.ts');

let loaded: LazyViews | undefined;

/**
 * The lazy views, undefined until they are loaded. They are fetched after the first paint; if that failed, again whenever
 * `wanted` changes.
 */
export function useLazyViews(wanted: unknown): LazyViews | undefined {
  const [views, setViews] = useState(loaded);
  useEffect(() => {
    if (loaded) return setViews(loaded);
    import('./lazyViews.ts').then(
      (arrived) => {
        if (!loaded) {
          arrived.keepFocus(document);
          arrived.watchForInstall(window);
        }
        loaded = arrived;
        setViews(arrived);
      },
      () => {}, // offline, and the service worker has not cached the chunk yet
    );
  }, [wanted]);
  return views;
}
