import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { idFrom } from '../../shared/mint.ts';
import { readRecoveryCode, recoveryGroups } from '../../shared/recoveryCode.ts';

const LEAST = idFrom(new Uint8Array(16));
const GREATEST = idFrom(new Uint8Array(16).fill(255));

test('a recovery code is twelve groups of four digits, and is read back however it is typed', () => {
  const ids = [LEAST, GREATEST, ...Array.from({ length: 100 }, () => idFrom(randomBytes(16)))];
  for (const id of ids) {
    const groups = recoveryGroups(id);
    expect(groups).toHaveLength(12);
    for (const group of groups) expect(group).toMatch(/^\d{4}$/);
    const wide = groups.join('').replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
    for (const typed of [groups.join(' '), groups.join(''), `\n ${groups.join(' - ')}.`, wide])
      expect(readRecoveryCode(typed), typed).toEqual({ tag: 'code', id });
  }
  expect(recoveryGroups(LEAST).join('')).toBe('0'.repeat(48));
});

test('every wrong digit and every two neighbours that are swapped are noticed', () => {
  const digits = recoveryGroups(idFrom(Uint8Array.from({ length: 16 }, (_, n) => 37 * n + 11))).join('');
  for (let at = 0; at < digits.length; at++) {
    for (let digit = 0; digit < 10; digit++) {
      const typed = `${digits.slice(0, at)}${digit}${digits.slice(at + 1)}`;
      if (typed !== digits) expect(readRecoveryCode(typed), typed).toEqual({ tag: 'slip' });
    }
    const swapped = `${digits.slice(0, at)}${digits
      .slice(at, at + 2)
      .split('')
      .reverse()
      .join('')}${digits.slice(at + 2)}`;
    if (swapped !== digits) expect(readRecoveryCode(swapped), swapped).toEqual({ tag: 'slip' });
  }
  expect(readRecoveryCode('9'.repeat(48))).toEqual({ tag: 'slip' }); // more than 128 bits have
});

test('what is no code says how many digits it has', () => {
  const digits = recoveryGroups(GREATEST).join('');
  expect(readRecoveryCode('')).toEqual({ tag: 'incomplete', digits: 0 });
  expect(readRecoveryCode(digits.slice(1))).toEqual({ tag: 'incomplete', digits: 47 });
  expect(readRecoveryCode(`${digits}1`)).toEqual({ tag: 'incomplete', digits: 49 });
  expect(readRecoveryCode(`${digits}x`)).toEqual({ tag: 'incomplete', digits: 48 });
  expect(readRecoveryCode('1'.repeat(100_000))).toMatchObject({ tag: 'incomplete' });
});
