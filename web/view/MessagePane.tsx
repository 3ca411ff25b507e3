import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { RoomSummary, SignedIn } from '../state/model.ts';
import { Composer } from './Composer.tsx';
import type { ComposerModels } from './composerModel.ts';
import { Log } from './Log.tsx';
import type { OpenMessage } from './menu/AroundLog.tsx';
import { useReadable } from './parts/useReadable.ts';
import { useWorld } from './parts/world.ts';
import { useLazyViews } from './useLazyViews.ts';

export interface MessagePaneProps {
  id: string;
  room: RoomSummary | undefined;
  app: SignedIn;
  models: ComposerModels;
}

/** The log of a room and the composer below it. */
export function MessagePane({ id, room, app, models }: MessagePaneProps) {
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
        <lazy.AroundLog room={id} log={log} state={state} open={open} onOpen={setOpen} onEdit={editing.set} />
      )}
    </>
  );
}
