import { t } from '../i18n/index.ts';
import type { RoomSummary, SignedIn } from '../state/model.ts';
import { Avatar } from './Avatar.tsx';
import type { Boxes } from './box.ts';
import { ConnectionLine } from './ConnectionLine.tsx';
import { useWorld } from './context.ts';
import { Icon } from './Icon.tsx';
import type { Opened } from './sheet/Sheets.tsx';
import { Talk } from './Talk.tsx';

export interface ConversationProps {
  id: string;
  /** Undefined when the room is not among the user's, or not yet. */
  room: RoomSummary | undefined;
  app: SignedIn;
  boxes: Boxes;
  onOpen(opened: Opened): void;
}

export function Conversation({ id, room, app, boxes, onOpen }: ConversationProps) {
  const { router } = useWorld();
  const back = (event: Event) => {
    event.preventDefault();
    router.back();
  };
  return (
    <main class="pane">
      <header class="bar">
        {/* biome-ignore lint/a11y/useValidAnchor: it leads to the rooms; the click only takes the shorter way there */}
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
      {room || !isTold(app) ? (
        <Talk id={id} room={room} app={app} boxes={boxes} />
      ) : (
        <p class="none">{t.rooms.missing}</p>
      )}
    </main>
  );
}

/** The server has said which rooms there are, and it could be stored. Until then what is written stays on the screen. */
function isTold({ connection, storage }: SignedIn): boolean {
  return connection.tag === 'live' && storage !== 'full' && storage !== 'failing';
}
