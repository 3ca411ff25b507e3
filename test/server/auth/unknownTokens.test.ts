import { expect, test } from 'vitest';
import { TOKEN_BYTES, tokenFrom } from '../../../server/auth/tokens.ts';
import { limitUnknownTokens } from '../../../server/auth/unknownTokens.ts';
import { RefusedError } from '../../../server/base/refusal.ts';
import { UNKNOWN_TOKENS_OF_ADDRESS } from '../../../server/base/serverLimits.ts';

const identity = {
  device: 'd',
  user: { id: 'u', name: 'Ada', rev: 0 },
  hasPassword: false,
  hasRecoveryCode: false,
};
const token = (n: number) => tokenFrom(new Uint8Array(TOKEN_BYTES).fill(n));
const KNOWN = token(1);
const OTHER = token(2);
const SIGNED_OUT = token(9);

function scene() {
  let reads = 0;
  const limited: string[] = [];
  let clock = 0;
  const identify = limitUnknownTokens(
    async (given) => {
      reads++;
      if (given === SIGNED_OUT) throw new RefusedError('unauthorized', 'bye', undefined, 'signed-out');
      return given === KNOWN || given === OTHER ? identity : undefined;
    },
    { now: () => clock, onLimit: (address) => limited.push(address) },
  );
  const pass = (ms: number) => {
    clock += ms;
  };
  return { identify, limited, pass, reads: () => reads };
}

test('beyond the rate, unknown tokens are refused without a read of the store', async () => {
  const { identify, limited, pass, reads } = scene();
  for (let i = 0; i < UNKNOWN_TOKENS_OF_ADDRESS.burst; i++) await identify(token(3), '10.0.0.1');
  const before = reads();
  await expect(identify(token(4), '10.0.0.1')).rejects.toMatchObject({
    code: 'rate-limited',
    retryAfter: 1_000 / UNKNOWN_TOKENS_OF_ADDRESS.perSecond,
  });
  expect([reads(), limited]).toEqual([before, ['10.0.0.1']]);
  expect(await identify(token(4), '10.0.0.2')).toBeUndefined();
  pass(1_000);
  expect(await identify(token(4), '10.0.0.1')).toBeUndefined();
});

test('whoever was known lately is not refused because of others at the same address', async () => {
  const { identify } = scene();
  await identify(KNOWN, '10.0.0.1');
  for (let i = 0; i < UNKNOWN_TOKENS_OF_ADDRESS.burst; i++) await identify(token(3), '10.0.0.1');
  expect(await identify(KNOWN, '10.0.0.1')).toEqual(identity);
  await expect(identify(OTHER, '10.0.0.1')).rejects.toMatchObject({ code: 'rate-limited' });
});

test('tokens of devices that were signed out count as well', async () => {
  const { identify, reads } = scene();
  const refusal = () =>
    identify(SIGNED_OUT, '10.0.0.1').catch((error: RefusedError) => error.reason ?? error.code);
  for (let i = 0; i < UNKNOWN_TOKENS_OF_ADDRESS.burst; i++) expect(await refusal()).toBe('signed-out');
  const before = reads();
  expect([await refusal(), reads()]).toEqual(['rate-limited', before]);
});
