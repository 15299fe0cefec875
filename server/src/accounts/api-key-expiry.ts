import { AppError } from '../lib/app-error.ts'

/** The guide's way to say it (`expire`) and Coze's (`durationDay`, `expireAt`); all absent: never. */
export type KeyExpiry = {
  /** 0: never; below 10^12: for so many ms from now; else until that ms timestamp. */
  expire?: number
  /** A number of days, `permanent`, or `customize` with `expireAt`. */
  durationDay?: number | string
  /** Unix seconds. */
  expireAt?: number
}

export const isExpiryGiven = ({ expire, durationDay, expireAt }: KeyExpiry): boolean =>
  expire !== undefined || durationDay !== undefined || expireAt !== undefined

/** When the key ends, in ms; 0 is never. Throws `invalid_request` for a time that is past, too far or no time. */
export function toExpiredAt(expiry: KeyExpiry, now: number): number {
  const isGuideStyle = expiry.expire !== undefined
  const isCozeStyle = expiry.durationDay !== undefined || expiry.expireAt !== undefined
  if (isGuideStyle && isCozeStyle) throw new AppError('invalid_request', 'expire: give either this or duration_day and expire_at')

  if (expiry.expire !== undefined) return fromExpire(expiry.expire, now)
  return isCozeStyle ? fromCoze(expiry, now) : NEVER
}

const NEVER = 0
const DAY_MS = 86_400_000
/** A number this small is a duration: as a timestamp it would be in the past (10^12 is the year 2001). */
const FIRST_TIMESTAMP_MS = 1_000_000_000_000
const LAST_TIMESTAMP_MS = Date.UTC(9999, 11, 31)

function fromExpire(expire: number, now: number): number {
  if (!Number.isSafeInteger(expire) || expire < 0) {
    throw new AppError('invalid_request', 'expire: must be 0 (never), a duration in ms or a timestamp in ms')
  }
  if (expire === 0) return NEVER
  return inFuture('expire', expire < FIRST_TIMESTAMP_MS ? now + expire : expire, now)
}

function fromCoze({ durationDay = 'customize', expireAt }: KeyExpiry, now: number): number {
  if (durationDay === 'permanent') return NEVER
  if (durationDay === 'customize') {
    if (expireAt === undefined || !Number.isSafeInteger(expireAt))
      throw new AppError('invalid_request', 'expire_at: must be a time in Unix seconds')
    return inFuture('expire_at', expireAt * 1000, now)
  }

  const days = typeof durationDay === 'number' || /^\d+$/.test(durationDay) ? Number(durationDay) : Number.NaN
  if (!Number.isSafeInteger(days) || days < 1) {
    throw new AppError('invalid_request', 'duration_day: must be a number of days, "permanent" or "customize"')
  }
  return inFuture('duration_day', now + days * DAY_MS, now)
}

function inFuture(field: string, time: number, now: number): number {
  if (time <= now) throw new AppError('invalid_request', `${field}: is in the past`)
  if (time > LAST_TIMESTAMP_MS) throw new AppError('invalid_request', `${field}: is too far in the future`)
  return time
}
