/** The pinned message above the log. A tap goes to it, also where this device does not hold it. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { RoomSummary, SignedIn } from '../../state/model.ts';
import { useIsLive } from '../parts/useIsLive.ts';
import { useSelected, useSignedIn, useWorld } from '../parts/world.ts';

interface Pinned {
  /** Of the message, as on the screen. */
  key: string;
  author: string;
  name: string;
  body: string;
}

export function PinnedBar({ room }: { room: string }) {
  const pinned = useSignedIn((app) => roomIn(app, room)?.about?.pinned) ?? 0;
  return pinned === 0 ? null : <Bar key={pinned} room={room} pinned={pinned} />;
}

function roomIn({ rooms }: SignedIn, id: string): RoomSummary | undefined {
  return rooms.find((one) => one.id === id);
}

function Bar({ room, pinned }: { room: string; pinned: number }) {
  const { client } = useWorld();
  const s = sheetTexts().pinned;
  const conversation = useMemo(() => client.conversation(room), [client, room]);
  const message = useSelected(conversation, ({ messages }) =>
    messages.find(({ serverOffset }) => serverOffset === pinned),
  );
  const edit = useSignedIn((app) => roomIn(app, room)?.pinnedEdit);
  const isLive = useIsLive();
  const [read, setRead] = useState<Pinned | undefined>();
  const [hasFailed, setFailed] = useState(false);
  const isShown = message !== undefined;
  // asked again when entries come: before the catch-up of a room that was just joined there is no hole to fetch from
  const count = useSelected(conversation, ({ messages }) => (read ? 0 : messages.length));

  useEffect(() => {
    if (isShown) return; // as the conversation has it
    let isOver = false;
    client.ask('pinned', room, pinned).then(
      (answer) => !isOver && answer.ok && setRead(answer.pinned),
      () => {}, // the database cannot be read
    );
    return () => {
      isOver = true;
    };
  }, [client, room, pinned, edit, isLive, isShown, count]);

  const shown: Pinned | undefined = !message
    ? read
    : message.content.tag === 'text'
      ? { key: message.key, author: message.author.id, name: message.author.name, body: message.content.body }
      : undefined;
  const isBlocked = useSignedIn(({ rooms }) =>
    rooms.some(({ wishes, with: other }) => wishes.blocked && other === shown?.author),
  );
  if (message?.content.tag === 'deleted') return null; // the deletion waits to be sent
  const jump = async () => {
    const asked = shown ? undefined : await client.ask('pinned', room, pinned);
    const key = shown?.key ?? (asked?.ok && asked.pinned?.key);
    return key ? client.jumpTo(room, pinned, { key, serverOffset: pinned, px: BELOW_TOP_PX }) : false;
  };
  const go = () =>
    jump().then(
      (isHere) => setFailed(!isHere),
      () => setFailed(true),
    );
  return (
    <div class="pinned">
      <button type="button" class="go" onClick={go}>
        <svg class="sign big" viewBox="0 0 24 24" aria-hidden="true">
          <path d="M9 4h6l-1 6 3 3H7l3-3zM12 13v7" />
        </svg>
        {shown && !isBlocked ? (
          <span class="what">
            <span class="visually-hidden">{s.bar}: </span>
            <b dir="auto" translate={false}>
              {shown.name || sheetTexts().presence.somebody}
            </b>{' '}
            <bdi>{shown.body}</bdi>
          </span>
        ) : (
          <span class="what">{s.bar}</span>
        )}
      </button>
      <div role="status">{hasFailed && <p class="line">{sheetTexts().message.notHere}</p>}</div>
    </div>
  );
}

/** Where the message is after a tap: its beginning shows, with what is above it. */
const BELOW_TOP_PX = 120;
