import type { ComponentChildren } from 'preact';
import { isBlank } from '../../shared/text.ts';
import { dayKey } from '../i18n/formats.ts';
import { roomName, t, times } from '../i18n/index.ts';
import type { RoomSummary } from '../state/model.ts';
import { CappedCount } from './CappedCount.tsx';
import { ConnectionLine } from './ConnectionLine.tsx';
import { Avatar } from './parts/Avatar.tsx';
import { Icon } from './parts/Icon.tsx';
import { memo } from './parts/memo.ts';
import { hashOf } from './parts/router.ts';
import { useSignedIn } from './parts/world.ts';
import type { OpenSheet } from './sheet/Sheets.tsx';
import { useLazyViews } from './useLazyViews.ts';

export interface RoomListPaneProps {
  here: string | undefined;
  onOpen(sheet: OpenSheet): void;
}

/** The list of the user's rooms, in the order of `Summaries.list`; hidden ones at the end, folded. */
export function RoomListPane({ here, onOpen }: RoomListPaneProps) {
  const rooms = useSignedIn((app) => app.rooms);
  const hasNone = useSignedIn((app) => app.rooms.length === 0 && app.connection.tag === 'live');
  const day = dayKey(Date.now());
  const lazy = useLazyViews(here);
  const hidden = rooms.filter(({ wishes }) => wishes.hidden);
  const listed = (some: readonly RoomSummary[]) => (
    <ul>
      {some.map((room) => (
        <Line
          key={room.id}
          room={room}
          here={room.id === here}
          day={day}
          typing={room.typing && lazy?.typingText(room.typing)}
        />
      ))}
    </ul>
  );
  return (
    <nav class="rooms" aria-label={t.rooms.title}>
      <header class="bar">
        <h1>{t.rooms.title}</h1>
        <button type="button" class="icon" aria-label={t.add.open} onClick={() => onOpen({ tag: 'add' })}>
          <Icon name="plus" />
        </button>
        <button type="button" class="icon" aria-label={t.menu.open} onClick={() => onOpen({ tag: 'menu' })}>
          <Icon name="more" />
        </button>
      </header>
      <div class="under-bar" role="status">
        <ConnectionLine onSignIn={() => onOpen({ tag: 'sign-in' })} />
      </div>
      <div class="list">
        {hasNone && <p class="none">{t.rooms.none}</p>}
        {listed(rooms.filter(({ wishes }) => !wishes.hidden))}
        {lazy && hidden.length > 0 && <lazy.HiddenRooms>{listed(hidden)}</lazy.HiddenRooms>}
      </div>
    </nav>
  );
}

/** `day`: when it changes, so do the times. */
const Line = memo((props: RoomLinkProps & { day: string }) => (
  <li>
    <RoomLink {...props} />
  </li>
));

interface RoomLinkProps {
  room: RoomSummary;
  here: boolean;
  /** Who is typing. */
  typing: string | undefined;
}

function RoomLink({ room, here, typing }: RoomLinkProps) {
  const name = roomName(room);
  const { muted, pinned, unread } = room.wishes;
  return (
    <a class="room" href={hashOf({ tag: 'room', id: room.id })} aria-current={here ? 'page' : undefined}>
      <Avatar id={room.with ?? room.id} name={name} kind={room.kind} />
      <span class="what">
        <span class="name" dir="auto" translate={false}>
          {name}
        </span>
        <span class="last" dir="auto">
          {preview(room, typing)}
        </span>
      </span>
      <span class="aside">
        {room.last && (
          <time dateTime={new Date(room.last.at).toISOString()}>
            {times.recent(room.last.at, Date.now())}
          </time>
        )}
        <span class="tags">
          {room.notSent > 0 ? (
            <span class="tag bad">{t.rooms.notSent(room.notSent)}</span>
          ) : (
            room.waiting > 0 && <span class="tag">{t.rooms.waiting(room.waiting)}</span>
          )}
          {pinned && <span class="tag soft">{t.rooms.pinned}</span>}
          {muted && <span class="tag soft">{t.rooms.muted}</span>}
          {room.mentions.length > 0 && !here && (
            <span class={muted ? 'tag soft' : 'tag unread'}>
              @ <CappedCount count={room.mentions.length} heard={t.rooms.mentions} />
            </span>
          )}
          {(room.unread > 0 || unread) && !here && (
            <span class={muted ? 'tag soft' : 'tag unread'}>
              {room.unread > 0 ? <CappedCount count={room.unread} heard={t.rooms.unread} /> : t.rooms.marked}
            </span>
          )}
        </span>
      </span>
    </a>
  );
}

/** Author and text each have their own direction: a name does not turn the text. */
function preview(
  { kind, last, draft, member, isEmpty }: RoomSummary,
  typing: string | undefined,
): ComponentChildren {
  if (!member) return t.rooms.left;
  if (typing) return typing;
  if (!isBlank(draft)) return t.rooms.draft(draft.trim());
  if (!last) return isEmpty ? t.rooms.empty : '';
  if (last.deleted) return t.message.deleted;
  const text = last.text ?? t.message.unknown;
  if (kind === 'direct' && !last.mine) return text;
  return (
    <>
      <bdi translate={false}>{last.mine ? t.rooms.you : last.author}</bdi>
      {t.rooms.says}
      <bdi>{text}</bdi>
    </>
  );
}
