import { useEffect, useState } from 'preact/hooks';

type Sheets = typeof import('./sheet/Sheets.tsx');

let loaded: Sheets | undefined;

/**
 * The sheets, and what stands around the log: nobody needs them at the first paint, so they are fetched after it; if
 * that failed, again when `wanted` is another.
 */
export function useSheets(wanted: unknown): Sheets | undefined {
  const [sheets, setSheets] = useState(loaded);
  useEffect(() => {
    if (loaded) return setSheets(loaded);
    import('./sheet/Sheets.tsx').then(
      (arrived) => {
        if (!loaded) arrived.keepFocus(document);
        loaded = arrived;
        setSheets(arrived);
      },
      () => {}, // no network, and no service worker that has it
    );
  }, [wanted]);
  return sheets;
}
