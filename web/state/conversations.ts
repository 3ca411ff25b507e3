/** The conversations of the signed-in user: one for each room that was looked at, kept until the user leaves. */
import { type Change, concerns } from '../records/change.ts';
import { type ConversationDeps, createConversation } from './conversation.ts';
import type { UserActions } from './model.ts';
import { type OptimisticConversation, withOptimisticMessages } from './optimisticMessages.ts';

export interface Conversations {
  of(room: string): OptimisticConversation;
  /** Reads again what the change concerns, where the screen shows it. */
  refresh(change: Change): Promise<void>;
  /** There is a connection again. */
  live(): void;
  /** Where an own message of a conversation stands in the log, as far as the screen knows. */
  offsetOf(room: string, clientOffset: string): number | undefined;
  actions: Pick<UserActions, 'loadOlder' | 'loadNewer' | 'loadBetween' | 'jumpTo' | 'toNewest'>;
}

export function createConversations(deps: Omit<ConversationDeps, 'room'>): Conversations {
  const made = new Map<string, OptimisticConversation>();

  function of(room: string): OptimisticConversation {
    const conversation =
      made.get(room) ?? withOptimisticMessages(createConversation({ ...deps, room }), deps.me);
    made.set(room, conversation);
    return conversation;
  }

  return {
    of,
    async refresh(change) {
      if (!SHOWN.has(change.type)) return;
      const shown = [...made].filter(([room]) => concerns(change, room));
      await Promise.all(shown.map(([, conversation]) => conversation.refresh()));
    },
    live() {
      for (const conversation of made.values()) conversation.live();
    },
    offsetOf(room, clientOffset) {
      const { messages } = of(room).state.get();
      return messages.find((message) => message.mine && message.clientOffset === clientOffset)?.serverOffset;
    },
    actions: {
      loadOlder: (room) => of(room).loadOlder(),
      loadNewer: (room) => of(room).loadNewer(),
      loadBetween: (room, gap, edge) => of(room).loadBetween(gap, edge),
      jumpTo: (room, offset) => of(room).jumpTo(offset),
      toNewest: (room) => void of(room).toNewest(),
    },
  };
}

/** Changes of other types change nothing that a conversation shows. */
const SHOWN: ReadonlySet<Change['type']> = new Set(['all', 'log', 'rows', 'queued', 'users']);
