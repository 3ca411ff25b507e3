import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { RoomSummary, SignedIn } from '../state/model.ts';
import { Composer } from './Composer.tsx';
import { ConnectionLine } from './ConnectionLine.tsx';
import type { ComposerModels } from './composerModel.ts';
import { Log } from './Log.tsx';
import type { OpenMessage } from './menu/AroundLog.tsx';
import { Avatar } from './parts/Avatar.tsx';
import { Icon } from './parts/Icon.tsx';
import { useReadable, useWorld } from './parts/world.ts';
import type { OpenSheet } from './sheet/Sheets.tsx';
import { useLazyViews } from './useLazyViews.ts';

export interface RoomPaneProps {
  id: string;
  /** Undefined if the user is not a member of the room, or the list of rooms is not loaded yet. */
  room: RoomSummary | undefined;
  app: SignedIn;
  models: ComposerModels;
  onOpen(sheet: OpenSheet): void;
}

/** The open room: header, connection state, log and composer. */
export function RoomPane({ id, room, app, models, onOpen }: RoomPaneProps) {
  const { router } = useWorld();
  const lazy = useLazyViews(room);
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
        {room && <Avatar id={room.id} name={room.name} kind={room.kind} />}
        <div class="who">
          <h1 dir="auto" aria-label={room ? undefined : t.app}>
            {room?.name}
          </h1>
          {room && <p>{t.rooms.people(room.members)}</p>}
        </div>
        {room && (
          <button
            type="button"
            class="icon"
            aria-label={t.menu.open}
            onClick={() => onOpen({ tag: 'menu', room })}
          >
            <Icon name="more" />
          </button>
        )}
      </header>
      <div class="under" role="status">
        <ConnectionLine
          connection={app.connection}
          waiting={app.waiting}
          onSignIn={() => onOpen({ tag: 'sign-in' })}
        />
        {room?.failing && <p class="line">{t.rooms.failing}</p>}
      </div>
      {room || !roomsAreKnown(app) ? (
        <MessagePane id={id} room={room} app={app} models={models} />
      ) : (
        lazy && <lazy.UnknownRoom key={app.connection.tag} id={id} isLive={app.connection.tag === 'live'} />
      )}
    </main>
  );
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
  room: RoomSummary | undefined;
  app: SignedIn;
  models: ComposerModels;
}

/** The log of a room and the composer below it. */
function MessagePane({ id, room, app, models }: MessagePaneProps) {
  const { client } = useWorld();
  const state = useReadable(useMemo(() => client.conversation(id), [client, id]));
  const editing = models.edited(id);
  const edited = useReadable(editing);
  const [open, setOpen] = useState<OpenMessage | undefined>();
  const lazy = useLazyViews(open !== undefined);
  const log = useRef<HTMLDivElement>(null);
  const toNewest = useRef(() => {});

  const isDeleted = state.messages.some(
    ({ key, content }) => key === edited?.key && content.tag === 'deleted',
  );
  useLayoutEffect(() => {
    if (isDeleted) void models.moveToDraft(id, edited!);
  }, [isDeleted]);

  const onEditSent = () => {
    models.endEdit(id, 'sent');
    if (edited?.status.tag === 'not-sent') toNewest.current(); // the retry has moved it to the end
  };
  const editLast = () => {
    const last = state.messages.findLast(({ can }) => can.edit);
    if (last) editing.set(last);
  };

  return (
    <>
      <Log
        key={state.logGeneration}
        id={id}
        name={room?.name ?? ''}
        state={state}
        scroller={log}
        toNewest={toNewest}
        onDetails={(key) => setOpen({ tag: 'status', key })}
      />
      {lazy && app.storage !== 'ok' && <lazy.StorageLine storage={app.storage} />}
      {edited ? (
        <Composer
          key={edited.key}
          model={models.ofMessage(id, edited)}
          editing={edited.status.tag === 'not-sent' ? t.composer.editing : t.composer.changing}
          onSent={onEditSent}
          onCancel={() => models.endEdit(id, 'given-up')}
        />
      ) : room?.member === false ? (
        lazy && <lazy.LeftRoom room={id} />
      ) : (
        <Composer
          key="new"
          model={models.ofRoom(id, room?.draft ?? '')}
          onSent={() => toNewest.current()}
          onUp={editLast}
        />
      )}
      {lazy && (
        <lazy.AroundLog
          key={state.logGeneration}
          room={id}
          log={log}
          state={state}
          open={open}
          onOpen={setOpen}
          onEdit={editing.set}
        />
      )}
    </>
  );
}
