/**
 * Preloaded by `--import` into the server process: replaces the lines of one guard (GUARDS, named by BREAK_GUARD) while Node
 * loads the sources. So no setting of the server can switch a guard off.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../support/tools.ts';
import { GUARDS } from './guards.ts';

const guard = GUARDS[process.env.BREAK_GUARD!];
if (!guard) throw new Error(`BREAK_GUARD names no guard: ${process.env.BREAK_GUARD}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const path = url.startsWith('file:') ? fileURLToPath(url) : '';
    const lines = guard.broken.filter(({ file }) => path === `${ROOT}/${file}`);
    if (lines.length === 0) return loaded;
    return { ...loaded, source: lines.reduce(broken, String(loaded.source)) };
  },
});

function broken(source: string, { file, from, to }: (typeof GUARDS)[string]['broken'][number]): string {
  if (!source.includes(from)) throw new Error(`${file} has no line “${from}” any more`);
  return source.replace(from, () => to);
}
