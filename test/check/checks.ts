/** All checks of `npm run check`, by name. A check resolves with its problems, one sentence each; an empty list is a pass. */
import { runTool } from '../support/tools.ts';
import { supportProblems } from './browserSupport.ts';
import { importProblems } from './imports.ts';
import { layerProblems } from './layers.ts';
import { mapProblems } from './map.ts';
import { nameProblems } from './names.ts';
import { protocolProblems } from './protocol.ts';
import { missingReferences } from './references.ts';
import { sizeProblems } from './size.ts';
import { readSources } from './sources.ts';
import { specProblems } from './spec.ts';

export interface CheckOutcome {
  name: string;
  problems: string[];
  ms: number;
}

const CHECKS: Record<string, () => Promise<string[]>> = {
  'types: shared': () => tool('tsc', ['-p', 'shared']),
  'types: server': () => tool('tsc', ['-p', 'server']),
  'types: web': () => tool('tsc', ['-p', 'web']),
  'types: web/sw': () => tool('tsc', ['-p', 'web/sw']),
  'types: test': () => tool('tsc', ['-p', 'test']),
  'format and lint': () => tool('biome', ['check', '--error-on-warnings', '--diagnostic-level=warn', '.']),
  'import rules': async () => importProblems(await readSources()),
  layers: async () => layerProblems(await readSources()),
  names: async () => nameProblems(await readSources()),
  'ARCHITECTURE.md': () => mapProblems(),
  'SPEC.md': () => specProblems(),
  'docs/PROTOCOL.md': () => protocolProblems(),
  'references to files': () => missingReferences(),
  'the built page': async () => [...(await sizeProblems()), ...(await supportProblems())], // one after the other: each builds it
};

/** Runs all checks in parallel and reports each when it ends. A check that rejects has failed with that message. */
export async function runChecks(onOutcome: (outcome: CheckOutcome) => void): Promise<CheckOutcome[]> {
  const one = async ([name, check]: [string, () => Promise<string[]>]) => {
    const start = performance.now();
    const problems = await check().catch((error: unknown) => [String(error)]);
    const outcome = { name, problems, ms: performance.now() - start };
    onOutcome(outcome);
    return outcome;
  };
  return Promise.all(Object.entries(CHECKS).map(one));
}

async function tool(name: string, args: string[]): Promise<string[]> {
  const { code, output } = await runTool(name, args);
  return code === 0 ? [] : [output.trim() || `${name} ${args.join(' ')} ended with ${code}`];
}
