import { useState } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import { useSignedIn, useWorld } from '../parts/world.ts';

/** Leads to the next unread message that mentions the person, also to one that this device does not hold. */
export function MentionJump({ room }: { room: string }) {
  const { client } = useWorld();
  const mentions = useSignedIn(({ rooms }) => rooms.find(({ id }) => id === room)?.mentions) ?? [];
  const [last, setLast] = useState(0);
  const [hasFailed, setFailed] = useState(false);
  const s = sheetTexts();
  const [first] = mentions;
  if (first === undefined) return null;
  const go = () => {
    const next = mentions.find((offset) => offset > last) ?? first;
    setLast(next);
    client.jumpTo(room, next).then(
      (isHere) => setFailed(!isHere),
      () => setFailed(true),
    );
  };
  return (
    <div class="jump" role="status">
      {hasFailed && <p class="line">{s.message.notHere}</p>}
      <button type="button" class="pill mentioned" onClick={go}>
        <span aria-hidden="true">@ {mentions.length}</span>
        <span class="visually-hidden">{s.mentions.next(mentions.length)}</span>
      </button>
    </div>
  );
}
