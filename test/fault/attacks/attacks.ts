/** All attacks by name. */
import { accountAttacks } from './accounts.ts';
import type { Attack } from './attackContext.ts';
import { connectionAttacks } from './connections.ts';
import { frameAttacks } from './frameFloods.ts';
import { handshakeAttacks } from './handshakes.ts';
import { http2Attacks } from './http2Floods.ts';
import { slowReaderAttacks } from './slowReaders.ts';
import { storeAttacks } from './storeCosts.ts';

const ALL = {
  ...handshakeAttacks,
  ...connectionAttacks,
  ...slowReaderAttacks,
  ...frameAttacks,
  ...storeAttacks,
  ...accountAttacks,
  ...http2Attacks,
};

export type AttackName = keyof typeof ALL;
export const ATTACKS: Record<AttackName, Attack> = ALL;
