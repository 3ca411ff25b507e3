import type { RefObject } from 'preact';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Mention } from '../../../shared/entry.ts';
import { MENTION_NAME_MAX_LENGTH, MENTIONS_MAX } from '../../../shared/limits.ts';
import type { User } from '../../../shared/protocol/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Readable } from '../../records/cell.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { isBare, isComposing } from '../parts/keyboard.ts';
import { useConnections } from '../parts/useIsLive.ts';
import { useReadable, useWorld } from '../parts/world.ts';
import { matching, mentionParts, queryBefore } from './mentionParts.ts';

type Person = Pick<User, 'id' | 'name'>;

export interface MentionListProps {
  room: string;
  field: RefObject<HTMLTextAreaElement | null>;
  model: Readable<{ text: string }> & { type(text: string): void };
  /** Receives what finds the mentions in a text of this room. */
  mentionsIn: Map<string, (text: string) => readonly Mention[]>;
}

/**
 * Completes `@` and the beginning of a name in the composer: a list of people above the field, by touch or with the arrow keys.
 * The focus stays in the field, which names the active person for screen readers. Whom a message mentions is found in its text
 * when it is sent, so a draft and a name that was typed by hand mention people, too.
 */
export function MentionList({ room, field, model, mentionsIn }: MentionListProps) {
  const { client } = useWorld();
  const { text } = useReadable(model);
  const [caret, setCaret] = useState(0);
  const [first, setFirst] = useState<readonly Person[]>([]);
  /** `first` are all of the room. */
  const [isAll, setAll] = useState(true);
  /** Those found by what was typed. */
  const [more, setMore] = useState<readonly Person[]>([]);
  const people = useMemo(() => joined(first, more), [first, more]);
  const [active, setActive] = useState(0);
  /** The `@` whose list was closed. */
  const [closed, setClosed] = useState<number | undefined>();
  const id = useId();
  const caretAfter = useRef<number | undefined>(undefined);

  const connections = useConnections();
  const hasAt = text.includes('@');
  useEffect(() => {
    if (!hasAt) return;
    let isLast = true;
    client.ask('mentionable', room).then(
      (found) => {
        if (!isLast || !found.ok) return;
        setFirst(found.people);
        setAll(found.isAll);
      },
      () => {}, // nothing is completed
    );
    return () => {
      isLast = false;
    };
  }, [client, room, hasAt, connections]);
  useLayoutEffect(() => {
    mentionsIn.set(room, (body) => mentionsOf(body, people));
  }, [room, people]);

  useEffect(() => {
    const look = () => {
      const { current } = field;
      if (current && document.activeElement === current) setCaret(current.selectionStart);
    };
    const ends = new AbortController();
    document.addEventListener('selectionchange', look, { signal: ends.signal });
    field.current!.addEventListener('input', look, { signal: ends.signal });
    return () => ends.abort();
  }, []);
  useLayoutEffect(() => {
    if (caretAfter.current === undefined) return;
    field.current!.setSelectionRange(caretAfter.current, caretAfter.current);
    setCaret(caretAfter.current);
    caretAfter.current = undefined;
  }, [text]);

  const asked = useMemo(() => queryBefore(text, Math.min(caret, text.length)), [text, caret]);
  useEffect(() => setMore([]), [hasAt]);
  const begins = isAll ? '' : (asked?.query ?? '');
  useEffect(() => {
    if (begins === '') return;
    const timer = setTimeout(() => {
      client.ask('mentionable', room, begins).then(
        (found) => found.ok && setMore((before) => joined(before, found.people)),
        () => {}, // those who are known are completed
      );
    }, ASKED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [client, room, begins, connections]);
  const found = asked && asked.at !== closed ? matching(people, asked.query) : [];
  // of a name that is complete there is nothing to complete
  const isOpen = found.length > 0 && !(found.length === 1 && asked?.query === found[0]!.name);
  const chosen = Math.min(active, found.length - 1);
  useLayoutEffect(() => setActive(0), [asked?.at, asked?.query]);

  const pick = (person: Person) => {
    const { at } = asked!;
    const before = `${text.slice(0, at)}@${person.name} `;
    caretAfter.current = before.length;
    model.type(before + text.slice(caret).replace(/^ /, ''));
  };

  useLayoutEffect(() => {
    const { current } = field;
    if (!current || !isOpen) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (isComposing(event) || !isBare(event)) return;
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (move) setActive((chosen + move + found.length) % found.length);
      else if (event.key === 'Enter' || event.key === 'Tab') pick(found[chosen]!);
      else if (event.key === 'Escape') setClosed(asked!.at);
      else return;
      event.preventDefault();
      event.stopImmediatePropagation(); // or Enter would send, and Escape end a reply
    };
    current.addEventListener('keydown', onKeyDown, { capture: true });
    return () => current.removeEventListener('keydown', onKeyDown, { capture: true });
  });
  useLayoutEffect(() => {
    const { current } = field;
    if (!current || !isOpen) return;
    const attributes = {
      'aria-autocomplete': 'list',
      'aria-haspopup': 'listbox',
      'aria-controls': id,
      'aria-activedescendant': `${id}-${chosen}`,
    };
    for (const [name, value] of Object.entries(attributes)) current.setAttribute(name, value);
    return () => {
      for (const name of Object.keys(attributes)) current.removeAttribute(name);
    };
  }, [isOpen, id, chosen]);

  if (!isOpen) return null;
  return (
    <div id={id} class="mentions" role="listbox" aria-label={sheetTexts().mentions.people}>
      {found.map((person, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the focus stays in the field, whose keys choose
        <div
          key={person.id}
          id={`${id}-${i}`}
          role="option"
          tabIndex={-1}
          aria-selected={i === chosen}
          onPointerDown={(event) => event.preventDefault()} // keeps the focus in the field
          onClick={() => pick(person)}
        >
          <Avatar id={person.id} name={person.name} kind="direct" />
          <span dir="auto" translate={false}>
            {person.name}
          </span>
        </div>
      ))}
    </div>
  );
}

/** In a room with more people than are known, the server is asked when nothing more was typed for so long. */
const ASKED_AFTER_MS = 200;

function joined(some: readonly Person[], others: readonly Person[]): Person[] {
  const all = new Map([...some, ...others].map((person) => [person.id, person]));
  return [...all.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** The people of the room whose names are in the text, after an `@`; at most MENTIONS_MAX. */
function mentionsOf(body: string, people: readonly Person[]): Mention[] {
  const found = new Map<string, Mention>();
  for (const { who } of mentionParts(body, people))
    if (who && who.name.length <= MENTION_NAME_MAX_LENGTH)
      found.set(who.id, { user: who.id, name: who.name });
  return [...found.values()].slice(0, MENTIONS_MAX);
}
