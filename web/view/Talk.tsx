import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { RoomSummary, SignedIn } from '../state/model.ts';
import type { Boxes } from './box.ts';
import { Composer } from './Composer.tsx';
import { useWorld } from './context.ts';
import { Log } from './Log.tsx';
import type { Looked } from './menu/AroundLog.tsx';
import { useReadable } from './useReadable.ts';
import { useSheets } from './useSheets.ts';

export interface TalkProps {
  id: string;
  room: RoomSummary | undefined;
  app: SignedIn;
  boxes: Boxes;
}

/** The log and what is written below it. */
export function Talk({ id, room, app, boxes }: TalkProps) {
  const { client } = useWorld();
  const state = useReadable(useMemo(() => client.conversation(id), [client, id]));
  const editing = boxes.edited(id);
  const edited = useReadable(editing);
  const [looked, setLooked] = useState<Looked | undefined>();
  const sheets = useSheets(looked !== undefined);
  const log = useRef<HTMLDivElement>(null);
  const toNewest = useRef(() => {});

  const isLost = state.messages.some(({ key, content }) => key === edited?.key && content.tag === 'deleted');
  useLayoutEffect(() => {
    if (isLost) void boxes.lost(id, edited!);
  }, [isLost]);

  const changed = () => {
    boxes.done(id, 'sent');
    if (edited?.status.tag === 'not-sent') toNewest.current(); // there it stands now
  };
  const changeLast = () => {
    const last = state.messages.findLast(({ can }) => can.edit);
    if (last) editing.set(last);
  };

  return (
    <>
      <Log
        id={id}
        name={room?.name ?? ''}
        state={state}
        box={log}
        toNewest={toNewest}
        onLook={(key) => setLooked({ tag: 'status', key })}
      />
      {sheets && app.storage !== 'ok' && <sheets.StorageLine storage={app.storage} />}
      {edited ? (
        <Composer
          key={edited.key}
          box={boxes.ofMessage(id, edited)}
          editing={edited.status.tag === 'not-sent' ? t.composer.editing : t.composer.changing}
          onSent={changed}
          onCancel={() => boxes.done(id, 'given-up')}
        />
      ) : room?.member === false ? (
        sheets && <sheets.LeftRoom room={id} />
      ) : (
        <Composer
          key="new"
          box={boxes.ofRoom(id, room?.draft ?? '')}
          onSent={() => toNewest.current()}
          onUp={changeLast}
        />
      )}
      {sheets && (
        <sheets.AroundLog
          room={id}
          log={log}
          state={state}
          looked={looked}
          onLook={setLooked}
          onEdit={editing.set}
        />
      )}
    </>
  );
}
