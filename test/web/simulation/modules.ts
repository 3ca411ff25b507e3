/** Changes the client's modules as they are loaded: smaller limits, so that short logs have holes, and optionally one broken line (variants.ts). */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { VARIANTS } from './variants.ts';

const WEB = new URL('../../../web/', import.meta.url).href;
const SHARED_LIMITS = new URL('../../../shared/limits.ts', import.meta.url).href;
const PAGE_LIMITS = `${WEB}records/pageLimits.ts`;

/** Replacements by file. With these limits, a log of 30 entries covers the same cases as one of 10,000. */
const SMALL: Record<string, Record<string, number>> = {
  [SHARED_LIMITS]: {
    CATCH_UP_MAX_ENTRIES: 8,
    CATCH_UP_NEWEST_MESSAGES: 4,
    CATCH_UP_ROOM_ENTRIES: 7,
    MESSAGES_SHOWN_LEAST: 2,
    RANGE_MAX_ENTRIES: 6,
    APPEND_MAX_ITEMS: 2,
    BODY_MAX_CODE_POINTS: 100,
  },
  [PAGE_LIMITS]: {
    RANGE_FIRST_ENTRIES: 4,
    RANGE_LEAST_ENTRIES: 2,
    KEPT_NEWEST_ENTRIES: 4,
    MOVE_CHUNK_ENTRIES: 2,
    MOVE_SLICE_ENTRIES: 3,
    MOVE_PAUSE_MS: 1_000,
    STORE_SLICE_MS: 1,
    STORE_GROUP_ENTRIES: 3,
    PREFETCH_HOLE_ENTRIES: 5,
    PREFETCH_SHOWN_HOLE_ENTRIES: 2,
    PREFETCH_PIECE_ENTRIES: 3,
    PREFETCH_MAX_ENTRIES: 20,
    WINDOW_PAGE_LINES: 5,
    WINDOW_STEP_LINES: 3,
    WINDOW_MAX_LINES: 12,
    PARK_AFTER_INTERNAL: 2,
  },
};

export function prepareModules(variant: string | undefined): void {
  const broken = variant === undefined ? [] : VARIANTS[variant];
  if (!broken) throw new Error(`there is no variant ${variant}`);
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const limits = SMALL[url];
      const changes = limits ? small(limits) : broken.filter(({ file }) => WEB + file === url);
      if (changes.length === 0) return loaded;
      return { ...loaded, source: changes.reduce(changed, String(loaded.source)) };
    },
  });
}

/** The source of a module of the client, broken if it belongs to the variant. `path` is absolute. For unit tests (brokenClient.config.ts). */
export function breakSource(variant: string, path: string, source: string): string {
  const broken = VARIANTS[variant];
  if (!broken) throw new Error(`there is no variant ${variant}`);
  return broken.filter(({ file }) => path === fileURLToPath(WEB + file)).reduce(changed, source);
}

interface Change {
  from: string | RegExp;
  to: string;
}

function small(limits: Record<string, number>): Change[] {
  return Object.entries(limits).map(([name, value]) => ({
    from: new RegExp(`(?<=export const ${name} = )[^;]+`),
    to: String(value),
  }));
}

function changed(source: string, { from, to }: Change): string {
  const after = source.replace(from, () => to);
  if (after === source) throw new Error(`this is not there to be changed: ${from}`);
  return after;
}
