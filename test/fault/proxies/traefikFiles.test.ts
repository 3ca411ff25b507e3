/**
 * The files for Traefik, which is not started here, and compose.yaml: they are YAML without a mistake, and what they name is
 * there.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { ROOT } from '../../support/tools.ts';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** Fails for what the parser only warns of, and for a key that is there twice. */
// biome-ignore lint/suspicious/noExplicitAny: the test checks what is in it
function parse(text: string): any {
  const document = parseDocument(text, { merge: true });
  expect([...document.errors, ...document.warnings]).toEqual([]);
  return document.toJS();
}

const traefik = parse(read('deploy/proxies/traefik-static.yml'));

test.each([
  ['cookie', (text: string) => text, { sticky: { cookie: { name: 'holdfast_node', secure: true } } }],
  [
    'address',
    (text: string) => text.replace(/^.* # by cookie\n/gm, '').replace(/#address: /g, ''),
    { strategy: 'hrw' },
  ],
])(
  'the files for Traefik, sticky by %s: router, service, entry point, transport and file are there',
  (_, change, how) => {
    const { http, tls } = parse(change(read('deploy/proxies/traefik-dynamic.yml')));
    const { holdfast: router } = http.routers;
    for (const name of router.entryPoints) expect(traefik.entryPoints).toHaveProperty(name);
    const { loadBalancer } = http.services[router.service];
    expect(loadBalancer).toMatchObject({
      ...how,
      servers: [{ url: 'http://127.0.0.1:3000' }, { url: 'http://127.0.0.1:3001' }],
      healthCheck: { path: '/readyz' },
      passHostHeader: true,
    });
    expect('sticky' in loadBalancer).toBe('sticky' in how);
    expect(http.serversTransports).toHaveProperty(loadBalancer.serversTransport);
    expect(router.rule).toBe('Host(`chat.example.org`)');
    expect(tls.certificates).toHaveLength(1);
    const { to } = traefik.entryPoints.web.http.redirections.entryPoint;
    expect(traefik.entryPoints).toHaveProperty(to);
    expect(read('docs/PROXIES.md')).toContain(`sudo tee ${traefik.providers.file.filename}`);
  },
);

test('compose.yaml: what each service waits for and each volume is there, and both servers have the same settings', () => {
  const { services, volumes } = parse(read('compose.yaml'));
  for (const { depends_on = {}, volumes: mounts = [] } of Object.values<Record<string, never>>(services)) {
    for (const name of Object.keys(depends_on)) expect(services).toHaveProperty(name);
    for (const mount of mounts as string[]) expect(volumes).toHaveProperty(mount.split(':')[0]!);
  }
  expect(services.chat1.environment).toEqual(services.chat2.environment);
});
