import type { ListedKey } from './api-keys-queries.ts'

export type KeyState = 'active' | 'soon' | 'expired' | 'disabled'

const SOON_MS = 7 * 86_400_000

/** Of several the one that matters most: enabling does not bring back what has expired. */
export function keyStateOf({ expiredAt, isDisabled }: Pick<ListedKey, 'expiredAt' | 'isDisabled'>, now: number): KeyState {
  if (expiredAt !== 0 && expiredAt <= now) return 'expired'
  if (isDisabled) return 'disabled'
  return expiredAt !== 0 && expiredAt - now < SOON_MS ? 'soon' : 'active'
}
