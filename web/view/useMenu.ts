import { useState } from 'preact/hooks';
import type { Message } from '../state/model.ts';

export interface Menu {
  /** The message whose menu is open, as it is now; undefined when none is, or when it is not there any more. */
  message: Message | undefined;
  open(key: string): void;
  close(): void;
}

export function useMenu(messages: readonly Message[]): Menu {
  const [key, setKey] = useState<string | undefined>();
  return {
    message: messages.find((message) => message.key === key),
    open: setKey,
    close: () => setKey(undefined),
  };
}
