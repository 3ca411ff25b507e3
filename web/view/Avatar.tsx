import type { RoomSummary } from '../state/model.ts';
import { initials, tone } from './portrait.ts';

export function Avatar({ room }: { room: Pick<RoomSummary, 'id' | 'name' | 'kind'> }) {
  const shape = room.kind === 'direct' ? 'avatar person' : 'avatar';
  return (
    <span class={`${shape} tone-${tone(room.id)}`} aria-hidden="true">
      {initials(room.name)}
    </span>
  );
}
