/** What a refusal looks like on the wire. */
import * as v from 'valibot';

/** `retryAfter` in milliseconds. The code is any string: a newer server may have one that this client does not know. */
export const WireError = v.object({
  code: v.string(),
  message: v.string(),
  retryAfter: v.optional(v.pipe(v.number(), v.minValue(0))),
});
export type WireError = v.InferOutput<typeof WireError>;

export const Refusal = v.object({ ok: v.literal(false), error: WireError });
export type Refusal = v.InferOutput<typeof Refusal>;
