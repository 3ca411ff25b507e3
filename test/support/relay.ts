/** Runs on a machine of namespaces.ts: forwards connections of the listener that it receives to a port of the machine. */
import { connect, type Server } from 'node:net';

process.on('message', ({ port, host }: { port: number; host: string }, listener: Server) => {
  listener.on('connection', (near) => {
    const far = connect(port, host);
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  process.send!('ready');
});
process.on('disconnect', () => process.exit());
