/**
 * What the client needs beyond its first screen, as one chunk (loadLater.ts): the engine with socket.io-client and the wire
 * schemas, and what a device without a network may need at any time. One chunk, since a chunk that two others import
 * could not be fetched again under another URL (load/lazyImport.ts).
 */
export { io } from 'socket.io-client';
export { freeSpace } from '../db/evict.ts';
export { createEngine } from '../engine/engine.ts';
export { amend, discard, edit, removeMessage, retry } from '../outbox/amendText.ts';
export { react } from '../outbox/react.ts';
export { takeDown } from '../outbox/takeDown.ts';
export { BODIES, readBody } from '../transport/bodies.ts';
export { endSession, setPassword, signInAs } from './account.ts';
export { createDeviceCalls, signInByPass } from './deviceCalls.ts';
export { inherit } from './inherit.ts';
export { createKeeperCalls } from './keeperCalls.ts';
export { deleteLeftLogs, deleteUnsent } from './leftBehind.ts';
export { createPeopleCalls } from './peopleCalls.ts';
export { checkRefusedSession } from './refusedSession.ts';
