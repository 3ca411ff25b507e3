/** Each metric has the value of what it measures, on a real server: a family that is never written to exists all the same. */
import { expect, test } from 'vitest';
import { PACKETS_PER_CONNECTION, READS_WAITING } from '../../../server/base/serverLimits.ts';
import { APPEND_MAX_ITEMS, ITEMS_BURST } from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { connectClient, newId, signUp, text } from '../../support/api.ts';
import { startApp } from '../../support/app.ts';
import { freePort } from '../../support/mongo/port.ts';
import { waitFor } from '../../support/waitFor.ts';

const WAITING_MINUTES = 7;

test('what happens on a server is in its metrics: each one that is counted, observed or set', async () => {
  const metricsPort = await freePort();
  await using app = await startApp({ config: { metricsPort } });
  const samples = async () => {
    const shown = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return (series: string) => Number(shown.split(`\n${series} `)[1]?.split('\n')[0]);
  };
  const atFirst = await samples();
  for (const code of ['internal', 'unavailable'])
    for (const series of [
      'refusals_total{event="append",',
      'refusals_total{event="session",',
      'connection_refusals_total{',
    ])
      expect([series, code, atFirst(`holdfast_${series}code="${code}"}`)]).toEqual([series, code, 0]);
  const session = await signUp(app.url, 'Ada');
  using ada = await connectClient(app.url, session, { waiting: WAITING_MINUTES });
  await expect(connectClient(app.url, { ...session, token: newId() })).rejects.toThrow();
  await ada.append(text('one'), text('two'));
  await ada.hears('two');
  expect(await ada.request('append', { as: newId(), items: [text('of another')] })).toMatchObject({
    ok: false,
  });
  for (let sent = 0; sent <= ITEMS_BURST; sent += APPEND_MAX_ITEMS)
    await ada.append(...Array.from({ length: APPEND_MAX_ITEMS }, (_, n) => text(`${sent} ${n}`)));
  const stranger = await signUp(app.url, 'Eve');
  const eve = await connectClient(app.url, stranger);
  for (let nth = 0; nth < 2 * PACKETS_PER_CONNECTION.burst; nth++) eve.socket.emit('x');
  await fetch(`${app.url}/api/session`);
  const range = { room: LOBBY, from: 1, to: 2 };
  await Promise.all(Array.from({ length: READS_WAITING + 1 }, () => ada.request('range', range)));

  const above: Record<string, number> = {
    'holdfast_frames_total{event="append"}': 2,
    'holdfast_frames_total{event="session"}': 0,
    'holdfast_refusals_total{event="append",code="unauthorized"}': 0,
    'holdfast_refusals_total{event="append",code="rate-limited"}': 0,
    'holdfast_refusals_total{event="session",code="unauthorized"}': 0,
    'holdfast_refusals_total{event="range",code="unavailable"}': 0,
    'holdfast_connection_refusals_total{code="unauthorized"}': 0,
    'holdfast_limit_hits_total{limit="items"}': 0,
    'holdfast_evicted_clients_total{reason="flood"}': 0,
    holdfast_append_seconds_count: 1,
    holdfast_append_seconds_sum: 0,
    holdfast_batch_entries_sum: 2,
    holdfast_tail_lag_seconds_count: 1,
    holdfast_tail_lag_seconds_sum: 0,
    holdfast_fan_out_seconds_count: 1,
    holdfast_fan_out_seconds_sum: 0,
    'holdfast_outbox_age_seconds_bucket{le="3600"}': 1,
    holdfast_connections: 0,
    holdfast_tail_open: 0,
  };
  const missing = async () => {
    const sample = await samples();
    return Object.entries(above).flatMap(([series, least]) =>
      sample(series) > least ? [] : [`${series} is ${sample(series)}`],
    );
  };
  await waitFor('all values', async () => (await missing()).length === 0).catch(() => {});
  expect(await missing()).toEqual([]);
  expect((await samples())('holdfast_outbox_age_seconds_sum')).toBe(60 * WAITING_MINUTES);
  expect(ada.heard(LOBBY).length).toBeGreaterThan(1);
});
