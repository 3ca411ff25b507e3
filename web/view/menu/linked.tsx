import type { ComponentChildren } from 'preact';
import { partsOf } from './links.ts';

/** A text with its links. `cut`: only its beginning is shown, so a link at its end may be half a link: it is text. */
export function linked(text: string, cut = false): ComponentChildren {
  const parts = partsOf(text);
  return parts.map((part, i) =>
    part.tag === 'text' || (cut && i === parts.length - 1) ? (
      part.text
    ) : (
      <a
        href={part.href}
        dir="ltr"
        target="_blank"
        rel="noopener noreferrer"
        translate={false}
        data-host={part.host}
      >
        {part.text}
      </a>
    ),
  );
}
