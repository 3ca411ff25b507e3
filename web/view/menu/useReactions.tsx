/** The reactions below messages: what they show, and what a tap does. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Message } from '../../state/model.ts';
import { useWorld } from '../parts/world.ts';

/** A tap on a reaction below a message makes it one's own too, or takes it back. */
export function useReactions(
  room: string,
  log: RefObject<HTMLElement | null>,
  messages: readonly Message[],
  hasLeft: boolean,
): void {
  const { client } = useWorld();
  const latest = useRef(messages);
  latest.current = messages;
  useEffect(() => {
    const element = log.current!;
    const onClick = ({ target }: MouseEvent) => {
      const chip = target instanceof Element && target.closest<HTMLButtonElement>('.reactions button');
      const key = chip ? chip.closest<HTMLElement>('[data-key]')?.dataset.key : undefined;
      const message = latest.current.find((one) => one.key === key);
      if (!chip || !message || hasLeft) return;
      const isMine = message.reactions?.some(({ emoji, mine }) => mine && emoji === chip.value);
      void client.react(room, message, chip.value, !isMine);
    };
    element.addEventListener('click', onClick);
    return () => element.removeEventListener('click', onClick);
  }, [client, room, hasLeft]);
}

/** No tab stops: the menu of the message has the same. */
export function chips(reactions: NonNullable<Message['reactions']>) {
  return reactions.map(({ emoji, count, mine, waiting }) => (
    <button
      key={emoji}
      type="button"
      tabIndex={-1}
      value={emoji}
      class={waiting && 'waiting'}
      aria-pressed={mine}
      aria-label={
        sheetTexts().message.reactions(emoji, count) + (waiting ? `, ${t.message.states.queued}` : '')
      }
    >
      {emoji} {count}
    </button>
  ));
}
