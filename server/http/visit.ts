import { type Proof, proofOf } from '../auth/proof.ts';
import type { Config } from '../base/env.ts';
import { judge, type OriginVerdict, originOf } from './origin.ts';
import { type Peer, peerOf, type RawRequest } from './peer.ts';

/** All that can be told of a request or handshake before the store is asked: from where, from which page, with what proof. */
export interface Visit extends Peer {
  origin: OriginVerdict;
  proof: Proof;
}

export function visitOf(
  request: RawRequest,
  config: Pick<Config, 'publicOrigin' | 'trustProxy' | 'allowedOrigins'>,
): Visit {
  const peer = peerOf(request, config);
  return {
    ...peer,
    origin: judge(originOf(request.headers), peer.own, config.allowedOrigins),
    proof: proofOf(request.headers, peer.own),
  };
}
