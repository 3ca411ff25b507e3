import { expect, test } from 'vitest';
import { ask, serve } from './serve.ts';

const policyOf = (headers: Record<string, unknown>) => String(headers['content-security-policy']).split(';');

test('over plain HTTP no header asks for HTTPS', async () => {
  await using server = await serve();
  for (const path of ['/', '/api/session', '/healthz']) {
    const { headers } = await ask(server.url, 'GET', path, { headers: { host: '192.168.1.20:3000' } });
    const policy = policyOf(headers);
    expect(policy[0]).toBe("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.join()).not.toMatch(/upgrade-insecure-requests|unsafe|https:/);
    expect(headers['strict-transport-security']).toBeUndefined();
    expect(headers['cross-origin-opener-policy']).toBeUndefined();
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
    });
    expect(headers['x-powered-by']).toBeUndefined();
  }
});

test('over HTTPS, also behind a proxy or by PUBLIC_ORIGIN, HSTS is sent', async () => {
  await using byOrigin = await serve({ config: { publicOrigin: 'https://chat.example' } });
  await using byProxy = await serve({ config: { trustProxy: { tag: 'hops', hops: 1 } } });
  const forwarded = { 'x-forwarded-proto': 'https', host: 'chat.example' };
  const heard = [
    await ask(byOrigin.url, 'GET', '/'),
    await ask(byProxy.url, 'GET', '/', { headers: forwarded }),
  ];
  for (const { headers } of heard) {
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(policyOf(headers).join()).not.toContain('upgrade-insecure-requests');
  }
});

test('headers of an untrusted proxy are ignored', async () => {
  await using server = await serve();
  const { headers } = await ask(server.url, 'GET', '/', { headers: { 'x-forwarded-proto': 'https' } });
  expect(headers['strict-transport-security']).toBeUndefined();
});
