import { assertNever } from '../../shared/never.ts';
import { t, times } from '../i18n/index.ts';
import type { Message } from '../state/model.ts';
import { tone } from './parts/Avatar.tsx';
import { Icon } from './parts/Icon.tsx';

export interface BubbleProps {
  message: Message;
  /** The first message of a group by one author: shows the author's name. */
  first: boolean;
  /** Called with the message's key when the user asks for its delivery status. */
  onDetails(key: string): void;
}

/** One message with author and time; an own one with its delivery status (O3). */
export function Bubble({ message, first, onDetails }: BubbleProps) {
  const { author, mine, content, status } = message;
  const bad = status.tag === 'not-sent';
  const meta = bad ? (
    <>
      <Icon name="not-sent" />
      {t.message.states['not-sent']}
    </>
  ) : (
    <>
      {content.tag === 'text' && content.edited && <span>{t.message.edited}</span>}
      <time dateTime={new Date(message.at).toISOString()}>{times.minute(message.at)}</time>
      {mine && <Icon name={status.tag} />}
      {mine && <span class="visually-hidden">{t.message.states[status.tag]}</span>}
    </>
  );
  return (
    // Labelled by its own content, so that a screen reader reads all of it when the arrow keys focus it.
    <article
      id={message.clientOffset}
      class={classOf(message, first)}
      data-key={message.key}
      tabIndex={-1}
      aria-labelledby={message.clientOffset}
    >
      {mine || !first ? (
        <b class="visually-hidden">{mine ? t.rooms.you : author.name}</b>
      ) : (
        <b class={`name-${tone(author.id)}`} dir="auto">
          {author.name}
        </b>
      )}
      <Content content={content} />
      {/* Opens the details, which hold the actions. A tab stop only if it was not sent: else there are the arrow keys. */}
      <button
        type="button"
        class="meta"
        tabIndex={bad ? 0 : -1}
        aria-label={mine ? undefined : moreOf(message)}
        onClick={() => onDetails(message.key)}
      >
        {meta}
      </button>
    </article>
  );
}

/** What a screen reader says of the button of others' messages: no element of its own, since each line costs layout. */
function moreOf({ content, at }: Message): string {
  const edited = content.tag === 'text' && content.edited ? `${t.message.edited} ` : '';
  return `${edited}${times.minute(at)} ${t.message.more}`;
}

function classOf({ mine, status }: Message, first: boolean): string {
  const { tag } = status;
  const state = tag === 'saving' || tag === 'queued' ? ' waiting' : tag === 'not-sent' ? ' bad' : '';
  return `message${mine ? ' mine' : ''}${first ? ' first' : ''}${state}`;
}

function Content({ content }: { content: Message['content'] }) {
  switch (content.tag) {
    case 'text':
      return <Body text={content.body} />;
    case 'deleted':
      return <i>{t.message.deleted}</i>;
    case 'unknown':
      return <i>{t.message.unknown}</i>;
    case 'unreadable':
      return <i>{t.message.unreadable}</i>;
    default:
      return assertNever(content);
  }
}

function Body({ text }: { text: string }) {
  return (
    <span class="body" dir="auto">
      {partsOf(text).map((part) =>
        part.tag === 'link' ? (
          <a href={part.href} dir="ltr" target="_blank" rel="noopener noreferrer">
            {part.text}
          </a>
        ) : (
          part.text
        ),
      )}
    </span>
  );
}

/** A piece of a message: plain text or a link. All parts joined are the message. */
export type Part = { tag: 'text'; text: string } | { tag: 'link'; text: string; href: string };

/** Finds the links in a text. Only http, https and mailto become links; other schemes, such as `javascript:`, stay text. */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(CANDIDATE)) {
    const candidate = withoutTail(found[0]);
    const href = hrefOf(candidate);
    if (href === undefined) continue;
    if (found.index > end) parts.push({ tag: 'text', text: text.slice(end, found.index) });
    parts.push({ tag: 'link', text: candidate, href });
    end = found.index + candidate.length;
  }
  if (end < text.length) parts.push({ tag: 'text', text: text.slice(end) });
  return parts;
}

const CANDIDATE = /(?<![\p{L}\p{N}_])(?:https?:\/\/|mailto:)[^\s<>"“”「」『』，。！？；：、（）]+/giu;

/** Without trailing punctuation, and without a closing bracket whose opening bracket is before the link. */
function withoutTail(candidate: string): string {
  let rest = candidate;
  for (;;) {
    const last = rest.at(-1)!;
    const opening = OPENING[last];
    if (TAIL.includes(last) || (opening && count(rest, opening) < count(rest, last)))
      rest = rest.slice(0, -1);
    else return rest;
    if (rest === '') return rest;
  }
}

const TAIL = ".,;:!?'*…";
const OPENING: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}

function hrefOf(candidate: string): string | undefined {
  const url = parsed(candidate);
  if (url?.protocol === 'mailto:') return url.pathname.includes('@') ? url.href : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url.href : undefined;
}

function parsed(candidate: string): URL | undefined {
  try {
    return new URL(candidate); // not URL.canParse: Safari has it only since 17
  } catch {
    return undefined;
  }
}
