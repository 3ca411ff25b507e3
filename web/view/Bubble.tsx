import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { assertNever } from '../../shared/never.ts';
import { t, times } from '../i18n/index.ts';
import type { Message, ShownMention } from '../state/model.ts';
import { firstRows, isTall } from './folded.ts';
import { tone } from './parts/Avatar.tsx';
import { Icon } from './parts/Icon.tsx';
import { useLazyViews } from './useLazyViews.ts';

export interface BubbleProps {
  message: Message;
  /** The first message of a group by one author: shows the author's name. */
  first: boolean;
  /** Called with the message's key when the user asks for its delivery status. */
  onDetails(key: string): void;
}

/** One message with author and time; an own one with its delivery status (O3). */
export function Bubble({ message, first, onDetails }: BubbleProps) {
  const { author, mine, content, status, reply } = message;
  const bad = status.tag === 'not-sent';
  const isRead = message.readByAll && status.tag === 'sent';
  const meta = bad ? (
    <>
      <Icon name="not-sent" />
      {t.message.states['not-sent']}
    </>
  ) : (
    <>
      {content.tag === 'text' && content.edited && <span>{t.message.edited} </span>}
      <time dateTime={new Date(message.at).toISOString()}>{times.minute(message.at)}</time>
      {mine && <Icon name={isRead ? 'read' : status.tag} />}
      {mine && <span class="visually-hidden">{t.message.states[status.tag]}</span>}
      {isRead && <span class="visually-hidden"> {t.message.read}</span>}
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
        <b class={`name-${tone(author.id)}`} dir="auto" translate={false}>
          {author.name}
        </b>
      )}
      {reply && <Quote reply={reply} />}
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
      {message.reactions && <Reactions reactions={message.reactions} />}
    </article>
  );
}

/** The message that this one answers. Its height is that of two lines, also before what fills it is loaded. */
function Quote({ reply }: { reply: NonNullable<Message['reply']> }) {
  return (
    <button type="button" class="quote" tabIndex={-1}>
      {useLazyViews(reply)?.quote(reply)}
    </button>
  );
}

/** They are read, and filled, after the first paint. */
function Reactions({ reactions }: Required<Pick<Message, 'reactions'>>) {
  return <div class="reactions">{useLazyViews(reactions)?.chips(reactions)}</div>;
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
      return <Body text={content.body} mentions={content.mentions} />;
    case 'deleted':
      return <i>{content.byModerator ? t.message.deletedBy : t.message.deleted}</i>;
    case 'blocked':
      return <i>{t.message.blocked}</i>;
    case 'reaction':
    case 'creation':
      return (
        <i>
          {t.message[content.tag]} {content.of}
        </i>
      );
    case 'unknown':
      return <i>{t.message.unknown}</i>;
    case 'unreadable':
      return <i>{t.message.unreadable}</i>;
    default:
      return assertNever(content);
  }
}

function Body(props: WordsProps) {
  return isTall(props.text) ? <TallBody {...props} /> : <Words {...props} />;
}

/** A text of more than about two screens shows its first rows, until the reader asks for all of it. */
function TallBody({ text, mentions }: WordsProps) {
  const [whole, setWhole] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const article = useRef<HTMLElement | null>(null);
  useLayoutEffect(() => {
    article.current?.focus({ preventScroll: true }); // the button had the focus
    article.current?.closest('.log')?.dispatchEvent(new Event('scroll')); // its end may have moved out of view
  }, [whole]);
  if (whole) return <Words text={text} mentions={mentions} />;
  const showAll = () => {
    article.current = button.current!.closest('article');
    setWhole(true);
  };
  return (
    <>
      <Words text={firstRows(text)} mentions={mentions} cut />
      <button ref={button} type="button" class="more" onClick={showAll}>
        {t.message.all}
      </button>
    </>
  );
}

interface WordsProps {
  text: string;
  mentions?: readonly ShownMention[] | undefined;
  /** More of the message follows, which is not shown. */
  cut?: boolean;
}

/** A new element for each text: a translator may have put its own nodes in place of the text (menu/translated.ts). */
function Words(props: WordsProps) {
  return (
    <span key={props.text} class="body" dir="auto">
      {props.mentions || /https?:|mailto:|[*_`]|^> /im.test(props.text) ? (
        <FormattedLater {...props} />
      ) : (
        props.text
      )}
    </span>
  );
}

/** As typed, until the code is loaded that finds links and formatting, after the first paint. */
function FormattedLater(props: WordsProps) {
  const lazy = useLazyViews(props.text);
  const isLate = useRef(!lazy).current;
  return <>{lazy ? <lazy.Formatted {...props} isLate={isLate} /> : props.text}</>;
}
