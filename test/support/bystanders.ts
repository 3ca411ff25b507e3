/** Two bystanders who chat while something happens to other clients. They must not notice anything. */
import { type ApiClient, bodyOf, connectClient, signUp, text } from './api.ts';
import { waitFor } from './waitFor.ts';

export interface Bystanders {
  /** Resolves with the number of messages, once all were acknowledged, and received once and in order on one connection. */
  stop(): Promise<number>;
}

export async function startBystanders(url: string): Promise<Bystanders> {
  const speaker = await connectClient(url, await signUp(url, 'Bystander'));
  const listener = await connectClient(url, await signUp(url, 'Listener'));
  const lost: string[] = [];
  for (const { socket } of [speaker, listener]) socket.on('disconnect', (reason) => lost.push(reason));

  let going = true;
  const talk = (async () => {
    const said: string[] = [];
    while (going) {
      const body = `bystander ${said.length + 1}`;
      await say(speaker, body);
      await listener.hears(body);
      said.push(body);
    }
    return said;
  })();
  talk.catch(() => {}); // stop() reports it

  return {
    async stop() {
      going = false;
      const said = await talk;
      await waitFor('the listener received all messages', () => heardBy(listener).length === said.length);
      if (heardBy(listener).join() !== said.join())
        throw new Error(`received in another order: ${heardBy(listener)}`);
      if (lost.length > 0) throw new Error(`a bystander was disconnected: ${lost}`);
      speaker.close();
      listener.close();
      return said.length;
    },
  };
}

async function say(speaker: ApiClient, body: string): Promise<void> {
  const answer = await speaker.append(text(body));
  const failed = !answer.ok || answer.stopped || answer.results.some((result) => 'error' in result);
  if (failed) throw new Error(`a bystander was refused: ${JSON.stringify(answer)}`);
}

function heardBy(listener: ApiClient): string[] {
  return listener
    .heard('lobby')
    .flatMap((entry) => bodyOf(entry) ?? [])
    .filter((body) => body.startsWith('bystander '));
}
