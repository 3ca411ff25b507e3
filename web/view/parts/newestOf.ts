import type { Message } from '../../state/model.ts';

/** The greatest serverOffset; 0 if there is none. */
export function newestOf(messages: readonly Pick<Message, 'serverOffset'>[]): number {
  return Math.max(0, ...messages.map(({ serverOffset }) => serverOffset ?? 0));
}
