import { z } from 'zod'
import type { ShownKey } from '../../accounts/api-keys.ts'
import { toSeconds } from '../open/open-fields.ts'
import { toShownPolicy } from '../key-policy-of-wire.ts'
import { shownPolicySchema } from './key-policy-wire.ts'

/** Beside what the guide and Coze have: only where there is something to say. */
const limitFields = {
  policy: shownPolicySchema.optional(),
  disabled: z.literal(true).optional(),
  old_secrets: z
    .array(z.object({ last4: z.string(), valid_until: z.number(), last_used_at: z.number() }))
    .optional()
    .describe('Secrets from before a rotation that are still valid.'),
}

/** The guide's flat key: times in ms, 0 is never. */
export const flatKeySchema = z.object({
  id: z.union([z.number(), z.string()]),
  name: z.string(),
  api_key: z.string(),
  user_id: z.union([z.number(), z.string()]),
  expired_at: z.number(),
  created_at: z.number(),
  last_used_at: z.number(),
  ...limitFields,
})

/** Coze's token: times in seconds, -1 is never. */
export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  created_at: z.number(),
  updated_at: z.number(),
  last_used_at: z.number(),
  expire_at: z.number(),
  ...limitFields,
})

export const listedTokenSchema = tokenSchema.extend({
  creator_name: z.string(),
  creator_unique_name: z.string(),
  creator_avatar_url: z.string(),
  creator_icon_url: z.string(),
  locked: z.boolean(),
  creator_status: z.string(),
})

/** `shown` is the secret when the key is made, later only its mask. */
export function toFlatKey(key: ShownKey, shown: string): z.infer<typeof flatKeySchema> {
  return {
    id: toWireId(key.id),
    name: key.name,
    api_key: shown,
    user_id: toWireId(key.userId),
    expired_at: key.expiredAt,
    created_at: key.createdAt,
    last_used_at: key.lastUsedAt,
    ...toLimits(key, (ms) => ms),
  }
}

/** The times are of the body around them. */
function toLimits({ policy, disabledAt, oldSecrets }: ShownKey, toTime: (ms: number) => number): z.infer<z.ZodObject<typeof limitFields>> {
  return {
    policy: policy && toShownPolicy(policy),
    disabled: disabledAt === undefined ? undefined : true,
    old_secrets: oldSecrets?.map(({ lastFour, validUntil, lastUsedAt }) => ({
      ...{ last4: lastFour, valid_until: toTime(validUntil), last_used_at: toTime(lastUsedAt) },
    })),
  }
}

export const toMaskedKey = (key: ShownKey) => `pat_****${key.lastFour}`

export function toToken(key: ShownKey): z.infer<typeof tokenSchema> {
  return {
    id: key.id,
    name: key.name,
    created_at: toSeconds(key.createdAt),
    updated_at: toSeconds(key.updatedAt),
    last_used_at: secondsOrNever(key.lastUsedAt),
    expire_at: secondsOrNever(key.expiredAt),
    ...toLimits(key, secondsOrNever),
  }
}

export function toListedToken(key: ShownKey): z.infer<typeof listedTokenSchema> {
  const creator = { creator_name: '', creator_unique_name: '', creator_avatar_url: '', creator_icon_url: '', creator_status: '' }
  return { ...toToken(key), ...creator, locked: false }
}

const secondsOrNever = (ms: number) => (ms === 0 ? -1 : toSeconds(ms))

/** A number, as the guide prints it, where that is exact. */
function toWireId(id: string): number | string {
  const number = Number(id)
  return Number.isSafeInteger(number) ? number : id
}
