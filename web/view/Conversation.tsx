import { useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { Message, RoomSummary, SignedIn } from '../state/model.ts';
import { Avatar } from './Avatar.tsx';
import type { Boxes } from './box.ts';
import { Composer } from './Composer.tsx';
import { ConnectionLine } from './ConnectionLine.tsx';
import { useWorld } from './context.ts';
import { Icon } from './Icon.tsx';
import { Log } from './Log.tsx';
import type { Opened } from './sheet/Sheets.tsx';
import { useReadable } from './useReadable.ts';
import { useSheets } from './useSheets.ts';

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
          <h1 dir="auto">{room?.name}</h1>
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
      <div class="under">
        <ConnectionLine app={app} onSignIn={() => onOpen({ tag: 'sign-in' })} />
      </div>
      {room || app.connection.tag !== 'live' ? (
        <Talk id={id} room={room} boxes={boxes} />
      ) : (
        <p class="none">{t.rooms.missing}</p>
      )}
    </main>
  );
}

/** The log and what is written below it. */
function Talk({ id, room, boxes }: Pick<ConversationProps, 'id' | 'room' | 'boxes'>) {
  const { client } = useWorld();
  const state = useReadable(useMemo(() => client.conversation(id), [client, id]));
  const [looked, setLooked] = useState<string | undefined>(); // key of the unsent message whose sheet is open
  const [edited, setEdited] = useState<Message | undefined>();
  const sheets = useSheets(looked !== undefined);
  const toNewest = useRef(() => {});

  // It may have been sent after all while its sheet was open: then there is nothing left to decide.
  const unsent = state.messages.find(
    (message) => message.key === looked && message.status.tag === 'not-sent',
  );
  const sent = () => {
    setEdited(undefined);
    toNewest.current();
  };

  return (
    <>
      <Log id={id} name={room?.name ?? ''} state={state} toNewest={toNewest} onNotSent={setLooked} />
      {edited ? (
        <Composer
          key={edited.key}
          box={boxes.ofMessage(edited)}
          onSent={sent}
          onCancel={() => setEdited(undefined)}
        />
      ) : (
        <Composer key="new" box={boxes.ofRoom(id, room?.draft ?? '')} onSent={sent} />
      )}
      {unsent && sheets && (
        <sheets.NotSentSheet
          message={unsent}
          onClose={() => setLooked(undefined)}
          onEdit={() => {
            setEdited(unsent);
            setLooked(undefined);
          }}
        />
      )}
    </>
  );
}
