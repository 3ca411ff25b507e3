import { useEffect, useRef, useState } from 'preact/hooks';
import { roomName, sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Reason } from '../../records/errorReason.ts';
import type { PublicRoom, SignedIn } from '../../state/model.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Field } from '../parts/Field.tsx';
import { outcomeOf, useAsyncAction } from '../parts/useAsyncAction.ts';
import { useConnections } from '../parts/useIsLive.ts';
import { useWorld } from '../parts/world.ts';
import { InvitationCode } from './InvitationCode.tsx';
import { afterClosing, Sheet } from './Sheet.tsx';
import { WriteToForm } from './WriteToForm.tsx';

/** Creates a room, joins a public one, or writes to a person. */
export function AddRoomSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client, router } = useWorld();
  const s = sheetTexts();
  const [name, setName] = useState('');
  const [isPrivate, setIsPrivate] = useState(false);
  const [announcements, setAnnouncements] = useState(false);
  const action = useAsyncAction();
  const enter = (room: string) => {
    onClose();
    afterClosing(() => router.go({ tag: 'room', id: room }));
  };
  const create = (event: Event) => {
    event.preventDefault();
    if (name.trim() === '') return action.say({ code: 'empty' });
    action.run(
      () => client.ask('createRoom', name, isPrivate ? 'private' : 'public', announcements),
      ({ room }) => (room === undefined ? onClose() : enter(room)),
    );
  };
  return (
    <Sheet title={s.add.title} onClose={onClose}>
      <form onSubmit={create} noValidate>
        <Field
          label={s.add.name}
          value={name}
          onInput={setName}
          reason={action.reason}
          reasons={s.reasons.room}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={isPrivate}
            onChange={(event) => setIsPrivate(event.currentTarget.checked)}
          />
          {s.add.private}
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={announcements}
            onChange={(event) => setAnnouncements(event.currentTarget.checked)}
          />
          {s.editRoom.announcements}
        </label>
        <button type="submit" class="button" aria-busy={action.busy}>
          {s.add.create}
        </button>
      </form>
      <WriteToForm app={app} onOpened={enter} />
      <InvitationCode onClose={onClose} />
      <PublicRooms mine={app.rooms.map((room) => room.id)} onJoined={enter} />
    </Sheet>
  );
}

function PublicRooms({ mine, onJoined }: { mine: string[]; onJoined(room: string): void }) {
  const { client } = useWorld();
  const s = sheetTexts();
  const [rooms, setRooms] = useState<readonly PublicRoom[] | undefined>();
  const [next, setNext] = useState<string | undefined>();
  const [query, setQuery] = useState('');
  /** What the list is of: an answer to an earlier query is not shown. */
  const latest = useRef('');
  const [isLoadingMore, setLoadingMore] = useState(false);
  const [reason, setReason] = useState<Reason | undefined>();
  const join = useAsyncAction();
  const isSearch = query.trim() !== '';
  const connections = useConnections();

  const load = async (before: readonly PublicRoom[], after?: string) => {
    const answer = await outcomeOf(() => client.ask('listPublic', query, after));
    if (latest.current !== query) return;
    setReason(answer.ok ? undefined : answer.reason);
    setRooms(answer.ok ? [...before, ...answer.rooms] : before);
    if (answer.ok) setNext(answer.next);
  };
  useEffect(() => {
    latest.current = query;
    setRooms(undefined);
    const timer = setTimeout(load, isSearch ? SEARCH_AFTER_MS : 0, []);
    return () => clearTimeout(timer);
  }, [query]);
  useEffect(() => {
    if (reason) void load([]);
  }, [connections]);
  const showMore = async () => {
    if (isLoadingMore) return;
    setLoadingMore(true);
    await load(rooms ?? [], next);
    setLoadingMore(false);
  };

  const shownReason = join.reason ?? reason;
  const others = isSearch ? rooms : rooms?.filter((room) => !mine.includes(room.id));
  return (
    <section class="public">
      <h3>{s.add.public}</h3>
      <Field label={s.add.search} value={query} onInput={setQuery} reasons={s.reasons.room} />
      <p class="why" role="alert">
        {shownReason && sentence(shownReason, s.reasons.room)}
      </p>
      <p role="status">
        {!others ? s.add.looking : others.length > 0 || next ? '' : isSearch ? s.add.noneFound : s.add.none}
      </p>
      <ul>
        {others?.map((room) => (
          <li key={room.id} class="room">
            <Avatar id={room.id} name={roomName(room)} kind="public" />
            <span class="what">
              <span class="name" dir="auto">
                {roomName(room)}
              </span>
              {room.description && (
                <span class="last" dir="auto" translate={false}>
                  {room.description}
                </span>
              )}
              <span class="last">{t.rooms.people(room.members)}</span>
            </span>
            {mine.includes(room.id) ? (
              <button
                type="button"
                class="button small quiet"
                aria-label={s.add.openNamed(roomName(room))}
                onClick={() => onJoined(room.id)}
              >
                {s.add.open}
              </button>
            ) : (
              <button
                type="button"
                class="button small"
                aria-label={s.add.joinNamed(roomName(room))}
                aria-busy={join.busy}
                onClick={() =>
                  join.run(
                    () => client.ask('joinRoom', room.id),
                    () => onJoined(room.id),
                  )
                }
              >
                {s.add.join}
              </button>
            )}
          </li>
        ))}
      </ul>
      {next && rooms && (
        <button type="button" class="button quiet" aria-busy={isLoadingMore} onClick={showMore}>
          {isSearch ? s.add.searchOn : s.presence.more}
        </button>
      )}
    </section>
  );
}

/** After the last key. */
const SEARCH_AFTER_MS = 300;
