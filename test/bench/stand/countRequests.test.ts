import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { waitFor } from '../../support/waitFor.ts';
import { countRequests } from './countRequests.ts';

test('requests are counted by command, in whatever chunks they arrive', async () => {
  let arrived = 0;
  const database = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      arrived += chunk.length;
    });
  }).listen(0, '127.0.0.1');
  await once(database, 'listening');
  await using counter = await countRequests((database.address() as AddressInfo).port);

  const stream = Buffer.concat([message('insert'), message('getMore'), message('insert')]);
  const client = connect(counter.port, '127.0.0.1').setNoDelay();
  for (const [from, to] of [
    [0, 3],
    [3, 17],
    [17, 40],
    [40, stream.length],
  ]) {
    client.write(stream.subarray(from, to));
    await waitFor('the piece arrives', () => arrived === to);
  }
  expect(counter.counts()).toEqual({ insert: 2, getMore: 1 });
  client.destroy();
  database.close();
});

/** OP_MSG with one section: `{ [command]: 'x' }`. */
function message(command: string): Buffer {
  const element = Buffer.concat([Buffer.from(`\x02${command}\0`), Buffer.from([2, 0, 0, 0, 120, 0])]);
  const body = Buffer.concat([int32(4 + element.length + 1), element, Buffer.from([0])]);
  const rest = Buffer.concat([int32(1), int32(0), int32(2013), int32(0), Buffer.from([0]), body]);
  return Buffer.concat([int32(4 + rest.length), rest]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
