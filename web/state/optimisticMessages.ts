/**
 * Optimistic messages: an own message is in the conversation as soon as it is durable (O1), before the window is read
 * again. On a slow phone that read takes longer than the response to a tap may.
 */

import type { User } from '../../shared/protocol/index.ts';
import { WINDOW_MAX_LINES } from '../records/pageLimits.ts';
import { type Draft, newRow, type Row } from '../records/row.ts';
import type { ConversationModel } from './conversation.ts';
import { messagesOf } from './messages.ts';
import type { ConversationState, Message } from './model.ts';

export interface OptimisticConversation extends ConversationModel {
  /** Resolves once the message is shown at the end. It is read from the database after `painted`. */
  queued(draft: Draft, painted: Promise<void>): Promise<void>;
}

export function withOptimisticMessages(conversation: ConversationModel, me: User): OptimisticConversation {
  const { state, refresh, toNewest } = conversation;
  const listeners = new Set<() => void>();
  let added: Message[] = [];
  let shown: { of: ConversationState; added: Message[]; state: ConversationState } | undefined;

  function get(): ConversationState {
    const of = state.get();
    if (shown?.of !== of || shown.added !== added) shown = { of, added, state: withAdded(of, added) };
    return shown.state;
  }

  function change(next: Message[]): void {
    const before = get();
    added = next;
    if (get() !== before) for (const listener of [...listeners]) listener();
  }

  return {
    ...conversation,
    state: {
      get,
      subscribe(listener) {
        const own = () => listener();
        const stop = state.subscribe(own);
        listeners.add(own);
        return () => {
          listeners.delete(own);
          stop();
        };
      },
    },
    queued(draft, painted) {
      const { atNewest, loading } = state.get();
      if (loading || !atNewest) return toNewest();
      const message = messageOf(draft, me);
      change([...added, message]);
      const drop = () => change(added.filter((each) => each !== message));
      void painted.then(refresh).then(drop); // from then on it is part of what is read
      return Promise.resolve();
    },
  };
}

/** The state with those added messages that are not in it yet. */
function withAdded(state: ConversationState, added: readonly Message[]): ConversationState {
  const known = new Set(state.messages.map(({ key }) => key));
  const missing = state.atNewest ? added.filter(({ key }) => !known.has(key)) : [];
  if (missing.length === 0) return state;
  return { ...state, messages: [...state.messages, ...missing].slice(-WINDOW_MAX_LINES) };
}

function messageOf(draft: Draft, me: User): Message {
  const row = { ...newRow(draft), seq: 0 } as Row;
  return messagesOf({ lines: [], waiting: [row], changes: [], me, nameOf: () => '' })[0]!;
}
