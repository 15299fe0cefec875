import type { Db } from '../db/database.ts'
import { AppError } from '../lib/app-error.ts'
import type { KeyPolicy } from './key-policy.ts'
import { listTokensOfDays } from './key-token-store.ts'

const DAY_MS = 86_400_000

export const dayOf = (time: number): number => Math.floor(time / DAY_MS)

/** Throws `rate_limited` when a budget is used up. A run that begins below it may go beyond it. */
export async function assertBudget(db: Db, keyId: string, { policy, now }: { policy: KeyPolicy; now: number }): Promise<void> {
  const { tokensPerDay, tokensPerMonth } = policy
  const date = new Date(now)
  const nextDay = (dayOf(now) + 1) * DAY_MS
  const nextMonth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
  const days = await listTokensOfDays(db, keyId, dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth())))

  const ofMonth = sum(days)
  if (tokensPerMonth !== undefined && ofMonth >= tokensPerMonth)
    throw usedUp(`tokens_per_month: this api key may use ${tokensPerMonth} tokens a month and has used ${ofMonth}`, nextMonth - now)
  const ofDay = sum(days.filter(({ day }) => day === dayOf(now)))
  if (tokensPerDay !== undefined && ofDay >= tokensPerDay)
    throw usedUp(`tokens_per_day: this api key may use ${tokensPerDay} tokens a day and has used ${ofDay}`, nextDay - now)
}

const sum = (days: { tokens: number }[]): number => days.reduce((total, { tokens }) => total + tokens, 0)

const usedUp = (message: string, retryAfterMs: number) =>
  new AppError('rate_limited', `${message}; the next one begins at 00:00 UTC`, { retryAfterMs })
