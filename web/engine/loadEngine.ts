/** Fetches the engine's chunk after the first paint, and again with backoff for as long as it cannot be fetched. */
import type { Timer } from '../db/clock.ts';
import { backoff } from '../transport/backoff.ts';
import type { ConnectionStatus } from '../transport/transportState.ts';
import type { Engine, EngineDeps } from './engine.ts';

export interface EngineLoader {
  /** Undefined until the chunk is here. What changed before that, the engine reads when it starts. */
  readonly current: Engine | undefined;
  /** Of the connection; also before there is one. */
  status(): ConnectionStatus;
  /** To be called once, after the first paint. Resolves after the first attempt. */
  load(): Promise<void>;
  close(): void;
}

/** Fetches the chunk. Rejects where it cannot be fetched. */
type LoadEngine = () => Promise<Pick<typeof import('./engine.ts'), 'createEngine'>>;

export function createEngineLoader(loadEngine: LoadEngine, deps: EngineDeps): EngineLoader {
  let engine: Engine | undefined;
  let failures = 0;
  let retry: Timer | undefined;
  let closed = false;

  async function load(): Promise<void> {
    if (closed) return;
    try {
      const { createEngine } = await loadEngine();
      if (!closed) engine = createEngine(deps);
    } catch (error) {
      console.warn('the engine could not be fetched', error);
      if (closed) return;
      retry = deps.clock.setTimeout(load, backoff(failures++, deps.random));
      deps.progressed();
    }
  }

  return {
    get current() {
      return engine;
    },
    status() {
      if (engine) return engine.connection.status();
      return deps.page.online && failures === 0 ? 'connecting' : 'offline';
    },
    load,
    close() {
      closed = true;
      if (retry !== undefined) deps.clock.clearTimeout(retry);
      engine?.close();
    },
  };
}
