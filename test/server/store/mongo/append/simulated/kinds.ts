/** The kinds of the simulation: those of the product, and one for each rule that the append algorithm reads. */
import { type KindRule, kinds } from '../../../../../../shared/kinds.ts';

export const SIMULATED_KINDS: ReadonlyMap<string, KindRule> = new Map<string, KindRule>([
  ...kinds(),
  ['sticker', { by: 'member', message: true, target: 'none', effect: 'none' }],
  ['takedown', { by: 'member', message: false, target: 'any', effect: 'remove' }],
  ['correction', { by: 'member', message: false, target: 'any', effect: 'replace' }],
  ['reaction', { by: 'member', message: false, target: 'any', effect: 'aggregate' }],
  ['expulsion', { by: 'server', message: false, target: 'none', effect: 'none', membership: 'left' }],
]);
