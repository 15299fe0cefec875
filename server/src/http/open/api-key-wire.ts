import { z } from 'zod'
import type { ShownKey } from '../../accounts/api-keys.ts'
import { shownPolicySchema } from '../console/key-policy-wire.ts'
import { toShownPolicy } from '../key-policy-of-wire.ts'
import { toSeconds } from './open-fields.ts'

/** Times are Unix seconds; 0 is never. */
export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  masked_key: z.string(),
  policy: shownPolicySchema.nullable().describe('null: nothing is limited.'),
  disabled: z.boolean(),
  expires_at: z.number(),
  created_at: z.number(),
  updated_at: z.number(),
  last_used_at: z.number().describe('With any of its secrets.'),
  old_secrets: z
    .array(z.object({ last4: z.string(), valid_until: z.number(), last_used_at: z.number() }))
    .describe('From before a rotation, and still valid.'),
  made_by: z.string().nullable().describe('The key that made it.'),
})

export function toWireKey(key: ShownKey): z.infer<typeof apiKeySchema> {
  const { id, name, lastFour, policy, disabledAt, oldSecrets = [], makerKeyId } = key
  return {
    ...{ id, name, masked_key: `pat_****${lastFour}`, policy: policy ? toShownPolicy(policy) : null, disabled: disabledAt !== undefined },
    ...{ expires_at: toSeconds(key.expiredAt), created_at: toSeconds(key.createdAt), updated_at: toSeconds(key.updatedAt) },
    last_used_at: toSeconds(key.lastUsedAt),
    old_secrets: oldSecrets.map((secret) => ({
      ...{ last4: secret.lastFour, valid_until: toSeconds(secret.validUntil), last_used_at: toSeconds(secret.lastUsedAt) },
    })),
    made_by: makerKeyId ?? null,
  }
}
