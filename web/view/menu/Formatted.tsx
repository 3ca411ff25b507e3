import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ShownMention } from '../../state/model.ts';
import { useSignedIn } from '../parts/world.ts';
import { type FormattedPart, formattedParts } from './formatting.ts';
import { mentionParts } from './mentionParts.ts';

export interface FormattedProps {
  text: string;
  mentions?: readonly ShownMention[] | undefined;
  /** Only the beginning of a text. */
  cut?: boolean | undefined;
  /** The text was on the screen as typed, before this code was loaded: it keeps its height. */
  isLate: boolean;
}

/** A text with its formatting and its links. The marks stay, so that what is copied is what was typed. */
export function Formatted({ text, mentions = [], cut, isLate }: FormattedProps) {
  const me = useSignedIn(({ user }) => user.id);
  const element = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const { current } = element;
    if (!isLate || !current?.querySelector('strong, em, code')) return;
    const row = current.closest('article')!;
    const height = row.offsetHeight;
    current.dataset.even = ''; // letters as wide as they were
    if (row.offsetHeight === height) delete current.dataset.even;
  }, []);
  return <span ref={element}>{formattedParts(text, cut).map((part) => viewOf(part, mentions, me))}</span>;
}

const ELEMENTS = { bold: 'strong', italic: 'em', code: 'code', quoted: 'q' } as const;

function viewOf(part: FormattedPart, mentions: readonly ShownMention[], me: string): ComponentChildren {
  if (part.tag === 'text')
    return mentionParts(part.text, mentions).map(({ text, who }) =>
      who ? (
        <span class={who.user === me ? 'mention me' : 'mention'} translate={false}>
          @{who.now || who.name}
        </span>
      ) : (
        text
      ),
    );
  if (part.tag === 'link')
    return (
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
    );
  const Element = ELEMENTS[part.tag];
  return (
    <Element translate={part.tag === 'code' ? false : undefined}>
      <Mark text={part.open} />
      {part.inside.map((inside) => viewOf(inside, part.tag === 'code' ? [] : mentions, me))}
      <Mark text={part.close} />
    </Element>
  );
}

/** A screen reader reads only what is between the marks. */
function Mark({ text }: { text: string }) {
  return text === '' ? null : (
    <span class="syntax" aria-hidden="true">
      {text}
    </span>
  );
}
