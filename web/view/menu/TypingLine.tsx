import { typingText } from '../../i18n/sheets.ts';
import { useSignedIn } from '../parts/world.ts';

/**
 * Who is typing in the room, in the place below the log that is kept free for it: nothing moves. Not announced: it would
 * interrupt a screen reader every few seconds, and the message itself is read out.
 */
export function TypingLine({ room }: { room: string }) {
  const names = useSignedIn(({ rooms }) => rooms.find(({ id }) => id === room)?.typing);
  return <p class="typing">{names && typingText(names)}</p>;
}
