/** Keeps with the draft which message it answers (O4): never the text of that message, which may be deleted meanwhile. */
import { useEffect } from 'preact/hooks';
import type { Cell } from '../../records/cell.ts';
import type { ReplyTarget } from '../../state/model.ts';
import { useWorld } from '../parts/world.ts';

export function useSavedReply(room: string, replying: Cell<ReplyTarget | undefined>): void {
  const { client } = useWorld();
  useEffect(() => {
    const key = `reply ${room}`;
    let isRestored = false;
    const stop = replying.subscribe(() => {
      isRestored = true; // what the person does now is newer
      const to = replying.get();
      client.saveDraft(key, to ? JSON.stringify(to) : '');
    });
    client.draft(key).then(
      (saved) => saved && !isRestored && !replying.get() && replying.set(JSON.parse(saved)),
      () => {}, // the database cannot be read: nothing is restored
    );
    return stop;
  }, [client, room]);
}
