import { useRef, useState } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';

/** Stands in place of the sign-up in the browser of another app: the way to a browser whose storage lasts. */
export function OpenInBrowser() {
  const [copied, setCopied] = useState(false);
  const link = useRef<HTMLElement>(null);
  const s = sheetTexts().openInBrowser;
  const copy = () =>
    Promise.resolve(navigator.clipboard?.writeText(location.href) ?? Promise.reject()).then(
      () => setCopied(true),
      () => getSelection()?.selectAllChildren(link.current!), // some of these browsers let nobody copy but the person
    );
  return (
    <>
      <p>{s.why}</p>
      <p class="link">
        <code ref={link}>{location.href}</code>
      </p>
      <button type="button" class="button" onClick={copy}>
        {copied ? s.copied : s.copy}
      </button>
    </>
  );
}
