import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import type { ConversationState } from '../../state/model.ts';

/** More at once than so many are not read out: who listens has the log. */
const READ_OUT_MAX = 3;

/** Reads out what others write, at the end only: older messages that load above are none of it. */
export function Announcer({ state }: { state: ConversationState }) {
  const [said, setSaid] = useState({ text: '', turn: 0 });
  const upTo = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (state.loading || !state.atNewest) return;
    const newest = Math.max(0, ...state.messages.map(({ serverOffset }) => serverOffset ?? 0));
    const before = upTo.current ?? newest; // what is there when one comes is not news
    upTo.current = Math.max(before, newest);
    const news = state.messages.filter(({ mine, serverOffset }) => !mine && (serverOffset ?? 0) > before);
    const lines = news.flatMap(({ author, content }) =>
      content.tag === 'text' ? t.rooms.line(author.name, content.body) : [],
    );
    const text = lines.slice(-READ_OUT_MAX).join('\n');
    if (text !== '') setSaid(({ turn }) => ({ text, turn: turn + 1 }));
  }, [state]);
  return (
    <p class="heard" role="status">
      <span key={said.turn}>{said.text}</span> {/* the same words twice are said twice */}
    </p>
  );
}
