import { t } from '../i18n/index.ts';
import type { RoomSummary, SignedIn } from '../state/model.ts';
import { ConnectionLine } from './ConnectionLine.tsx';
import type { ComposerModels } from './composerModel.ts';
import { MessagePane } from './MessagePane.tsx';
import { Avatar } from './parts/Avatar.tsx';
import { Icon } from './parts/Icon.tsx';
import { useWorld } from './parts/world.ts';
import type { OpenSheet } from './sheet/Sheets.tsx';

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
        {room && <Avatar room={room} />}
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
        <ConnectionLine app={app} onSignIn={() => onOpen({ tag: 'sign-in' })} />
        {room?.failing && <p class="line">{t.rooms.failing}</p>}
      </div>
      {room || !roomsAreKnown(app) ? (
        <MessagePane id={id} room={room} app={app} models={models} />
      ) : (
        <p class="none">{t.rooms.missing}</p>
      )}
    </main>
  );
}

/** True once the server has sent the list of rooms and it is stored. Until then the composer of an unknown room stays. */
function roomsAreKnown({ connection, storage }: SignedIn): boolean {
  return connection.tag === 'live' && storage !== 'full' && storage !== 'failing';
}
