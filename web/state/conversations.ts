/**
 * The conversations of the signed-in user: one for each room that was looked at, kept until the user leaves. An own message
 * is in its conversation while it is written, as *saving*, and then as *queued* as soon as it is durable (O1), before the
 * window is read again (an optimistic message): on a slow phone that read takes longer than the response to a tap may.
 */
import type { User } from '../../shared/protocol/index.ts';
import { type Change, concerns } from '../records/change.ts';
import { WINDOW_MAX_LINES } from '../records/pageLimits.ts';
import { type NewItem, newRow, type Row } from '../records/row.ts';
import {
  type ConversationDeps,
  type ConversationModel,
  createConversation,
  reuseMessages,
} from './conversation.ts';
import { messagesOf, NOTHING, withQuotes } from './messages.ts';
import type { ConversationState, Message, UserActions } from './model.ts';

export interface Conversations {
  of(room: string): OptimisticConversation;
  /** Reads again what the change concerns, where the screen shows it. */
  refresh(change: Change): Promise<void>;
  /** There is a connection again. */
  live(): void;
  loaded(): void;
  /** Where an own message of a conversation stands in the log, as far as the screen knows. */
  offsetOf(room: string, clientOffset: string): number | undefined;
  actions: Pick<
    UserActions,
    'loadOlder' | 'loadNewer' | 'loadBetween' | 'jumpTo' | 'toNewest' | 'leaveAt' | 'newestOwn'
  >;
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
      const keys = change.type === 'rows' ? change.attempted : undefined;
      await Promise.all(shown.map(([, each]) => (keys ? each.attempted(keys) : each.refresh())));
    },
    live() {
      for (const conversation of made.values()) conversation.live();
    },
    loaded() {
      for (const conversation of made.values()) conversation.loaded();
    },
    offsetOf(room, clientOffset) {
      const { messages } = of(room).state.get();
      return messages.find((message) => message.mine && message.clientOffset === clientOffset)?.serverOffset;
    },
    actions: {
      loadOlder: (room, lines) => of(room).loadOlder(lines),
      loadNewer: (room, lines) => of(room).loadNewer(lines),
      loadBetween: (room, gap, edge) => of(room).loadBetween(gap, edge),
      jumpTo: (room, offset, place) => of(room).jumpTo(offset, place),
      toNewest: (room) => void of(room).toNewest(),
      newestOwn: (room) => of(room).newestOwn(),
      leaveAt: (room, place) => of(room).leaveAt(place),
    },
  };
}

/** Changes of other types change nothing that a conversation shows. */
const SHOWN: ReadonlySet<Change['type']> = new Set(['all', 'log', 'rows', 'queued', 'users', 'readers']);

export interface OptimisticConversation extends ConversationModel {
  /** A message for the end of the conversation. It is not shown yet. */
  optimistic(item: NewItem): OptimisticMessage;
}

export interface OptimisticMessage {
  /** Shows the message as being saved. */
  saving(): void;
  /** It is durable. Resolves once it is shown as that. It is read from the database after `painted`. */
  stored(painted: Promise<void>): Promise<void>;
  failed(): void;
}

export function withOptimisticMessages(conversation: ConversationModel, me: User): OptimisticConversation {
  const { state, refresh, toNewest } = conversation;
  const listeners = new Set<() => void>();
  let added: Message[] = [];
  let shown: { of: ConversationState; added: Message[]; state: ConversationState } | undefined;

  function get(): ConversationState {
    const of = state.get();
    if (shown?.of !== of || shown.added !== added)
      shown = { of, added, state: reuseMessages(shown?.state ?? of, withAdded(of, added)) };
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
    optimistic(item) {
      const message = messageOf(item, me);
      const drop = () => change(without(message));
      return {
        saving: () => change([...without(message), { ...message, status: SAVING, can: NOTHING }]),
        failed: drop,
        async stored(painted) {
          const { atNewest, loading } = state.get();
          if (loading || !atNewest) {
            drop();
            return toNewest();
          }
          change([...without(message), message]);
          void painted.then(refresh).then(drop); // from then on it is part of what is read
        },
      };
    },
  };

  function without({ key }: Message): Message[] {
    return added.filter((each) => each.key !== key);
  }
}

const SAVING = { tag: 'saving' } as const;

/** The state with those added messages that are not in it yet. */
function withAdded(state: ConversationState, added: readonly Message[]): ConversationState {
  const known = new Set(state.messages.map(({ key }) => key));
  const missing = state.atNewest ? added.filter(({ key }) => !known.has(key)) : [];
  if (missing.length === 0) return state;
  return { ...state, messages: withQuotes([...state.messages, ...missing].slice(-WINDOW_MAX_LINES)) };
}

function messageOf(item: NewItem, me: User): Message {
  const row = { ...newRow(item), seq: 0 } as Row;
  return messagesOf({ lines: [], waiting: [row], changes: [], me, nameOf: () => '' })[0]!;
}
