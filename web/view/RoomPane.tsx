import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { roomName, t } from '../i18n/index.ts';
import type { AppState, RoomSummary, SignedIn } from '../state/model.ts';
import { Composer } from './Composer.tsx';
import { ConnectionLine } from './ConnectionLine.tsx';
import type { ComposerModels } from './composerModel.ts';
import { Log } from './Log.tsx';
import type { OpenMessage } from './menu/AroundLog.tsx';
import { Avatar } from './parts/Avatar.tsx';
import { Icon } from './parts/Icon.tsx';
import { useReadable, useSelected, useSignedIn, useWorld } from './parts/world.ts';
import type { OpenSheet } from './sheet/Sheets.tsx';
import { useLazyViews } from './useLazyViews.ts';

export interface RoomPaneProps {
  id: string;
  models: ComposerModels;
  onOpen(sheet: OpenSheet): void;
}

/** The open room: header, connection state, log and composer. */
export function RoomPane({ id, models, onOpen }: RoomPaneProps) {
  const { client, router } = useWorld();
  // undefined if the user is not a member of the room, or the list of rooms is not loaded yet
  const room = useSignedIn((app) => aboutRoom(roomIn(app, id)));
  const areKnown = useSignedIn(roomsAreKnown);
  const lazy = useLazyViews(room);
  const name = room ? roomName(room) : '';
  const back = (event: Event) => {
    event.preventDefault();
    router.back();
  };
  return (
    <main class="pane">
      <header class="bar">
        {/* biome-ignore lint/a11y/useValidAnchor: it links to the rooms; the click handler goes there by the history if it can */}
        <a class="icon back" href="#/" aria-label={t.back} onClick={back}>
          <Icon name="back" />
        </a>
        {room && <Avatar id={room.with} name={name} kind={room.kind} />}
        <div class="who">
          <h1 dir="auto" translate={false} aria-label={room ? undefined : t.app}>
            {name}
          </h1>
          {room && (
            <p>
              {room.kind !== 'direct' && t.rooms.people(room.members)}
              {lazy && <lazy.HereCount room={id} />}
            </p>
          )}
        </div>
        {room && (
          <button
            type="button"
            class="icon"
            aria-label={t.menu.open}
            onClick={() => onOpen({ tag: 'menu', room: roomIn(client.app.get(), id)! })}
          >
            <Icon name="more" />
          </button>
        )}
      </header>
      {room && lazy && <lazy.PinnedBar room={id} />}
      <div class="under" role="status">
        <ConnectionLine onSignIn={() => onOpen({ tag: 'sign-in' })} />
        {room?.failing && <p class="line">{t.rooms.failing}</p>}
        {room && lazy && <lazy.Offers room={id} onOpen={onOpen} />}
      </div>
      {room?.blocked ? (
        lazy && <lazy.BlockedRoom room={room} />
      ) : room || !areKnown ? (
        <MessagePane id={id} name={name} isClosed={room?.isClosed === true} models={models} onOpen={onOpen} />
      ) : (
        lazy && <lazy.UnknownRoom id={id} />
      )}
    </main>
  );
}

function roomIn(app: AppState, id: string): RoomSummary | undefined {
  return app.tag === 'signed-in' ? app.rooms.find((room) => room.id === id) : undefined;
}

/** Without the fields that change with every message. */
function aboutRoom(room: RoomSummary | undefined) {
  if (!room) return undefined;
  const { id, name, kind, with: other = id, members, member, failing, wishes, about, role } = room;
  const isClosed = !member || (about?.announcements && !role);
  return { id, name, kind, with: other, members, isClosed, failing, blocked: wishes.blocked };
}

/**
 * True once the server has sent a list of rooms and it is stored, in this connection or an earlier one. Until then the
 * composer of an unknown room stays.
 */
function roomsAreKnown({ connection, rooms, storage }: SignedIn): boolean {
  return (connection.tag === 'live' || rooms.length > 0) && storage !== 'full' && storage !== 'failing';
}

interface MessagePaneProps {
  id: string;
  name: string;
  /** Nothing can be written: the room was left, or only moderators write in it. */
  isClosed: boolean;
  models: ComposerModels;
  onOpen: RoomPaneProps['onOpen'];
}

/** The log of a room and the composer below it. */
function MessagePane({ id, name, isClosed, models, onOpen }: MessagePaneProps) {
  const { client } = useWorld();
  const conversation = useMemo(() => client.conversation(id), [client, id]);
  const logGeneration = useSelected(conversation, (state) => state.logGeneration);
  const storage = useSignedIn((app) => app.storage);
  const editing = models.edited(id);
  const edited = useReadable(editing);
  const replying = models.replying(id);
  const answered = useReadable(replying);
  const [open, setOpen] = useState<OpenMessage | undefined>();
  const lazy = useLazyViews(open !== undefined);
  const log = useRef<HTMLDivElement>(null);
  const seen = useMemo(() => ({ current: 0 }), [logGeneration]);
  const toNewest = useRef(() => {});

  const isDeleted = useSelected(
    conversation,
    ({ messages }) =>
      edited !== undefined &&
      messages.some(({ key, content }) => key === edited.key && content.tag === 'deleted'),
  );
  useLayoutEffect(() => {
    if (isDeleted) void models.moveToDraft(id, edited!);
  }, [isDeleted]);

  const onEditSent = () => {
    models.endEdit(id, 'sent');
    if (edited?.status.tag === 'not-sent') toNewest.current(); // the retry has moved it to the end
  };
  const editLast = () => {
    const { atNewest, messages } = conversation.get();
    const last = atNewest && messages.findLast(({ mine, content }) => mine && content.tag === 'text');
    if (last) return editing.set(last);
    client.newestOwn(id).then(
      (own) => own && !editing.get() && models.ofRoom(id, '').get().text === '' && editing.set(own),
      () => {}, // the database cannot be read
    );
  };

  return (
    <>
      <Log
        key={logGeneration}
        id={id}
        name={name}
        conversation={conversation}
        seen={seen}
        scroller={log}
        toNewest={toNewest}
        onDetails={(key) => setOpen({ tag: 'status', key })}
      />
      {lazy && (
        <lazy.AroundLog
          key={logGeneration}
          room={id}
          log={log}
          conversation={conversation}
          seen={seen}
          open={open}
          onOpen={setOpen}
          onEdit={editing.set}
          onSheet={onOpen}
          replying={replying}
          isClosed={isClosed}
        />
      )}
      {lazy && <lazy.TypingLine room={id} />}
      {lazy && storage !== 'ok' && <lazy.StorageLine storage={storage} />}
      {lazy && <lazy.InstallLine room={id} />}
      {edited ? (
        <Composer
          key={edited.key}
          model={models.ofMessage(id, edited)}
          about={edited.status.tag === 'not-sent' ? t.composer.editing : t.composer.changing}
          onSent={onEditSent}
          onCancel={() => models.endEdit(id, 'given-up')}
        />
      ) : isClosed ? (
        lazy && <lazy.ClosedRoom room={id} />
      ) : (
        <Composer
          key="new"
          model={models.ofRoom(id, roomIn(client.app.get(), id)?.draft ?? '')}
          completion={
            lazy &&
            ((field) => (
              <lazy.MentionList
                room={id}
                field={field}
                model={models.ofRoom(id, '')}
                mentionsIn={models.mentionsIn}
              />
            ))
          }
          onSent={() => toNewest.current()}
          onUp={editLast}
          about={answered && lazy && <lazy.ReplyBar to={answered} conversation={conversation} />}
          answers={answered?.clientOffset}
          onCancel={answered && (() => replying.set(undefined))}
        />
      )}
    </>
  );
}
