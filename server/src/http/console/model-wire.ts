import { z } from 'zod'
import { pageOf, pagingFields, searchField, timeField } from './paging-wire.ts'

const text = (most: number) => z.string('must be a string').max(most, `must have at most ${most} characters`)
const protocolField = z.enum(['openai', 'anthropic', 'google', 'demo'], 'must be openai, anthropic, google or demo')
const baseUrlField = text(1_000)
  .trim()
  .refine((url) => url === '' || (URL.canParse(url) && /^https?:/i.test(url)), 'must be an http(s) URL, or empty for the vendor’s own')

export const modelListQuery = z.object({ ...pagingFields, search: searchField })
/** Keys never come back. */
export const modelSchema = z.object({
  id: z.string(),
  /** What agents call it; never changes. */
  name: z.string(),
  protocol: protocolField,
  /** Empty: the vendor's own. Empty too for people who are no administrators. */
  base_url: z.string(),
  provider_model: z.string(),
  has_api_key: z.boolean(),
  /** `demo`, which is always there. */
  is_built_in: z.boolean(),
  created_at: timeField,
  updated_at: timeField,
})
/** By name. */
export const modelPageSchema = pageOf(modelSchema)

const settings = {
  protocol: protocolField,
  base_url: baseUrlField.default(''),
  provider_model: text(200).trim().default(''),
  /** Null or left out: the stored one stays, as long as the base URL is of the same server. Empty: none. */
  api_key: text(1_000).nullish(),
}
const NAME_RULE = 'must have 1 to 100 characters'
export const newModelSchema = z.object({ name: z.string(NAME_RULE).trim().min(1, NAME_RULE).max(100, NAME_RULE), ...settings })
export const modelChangeSchema = z.object(settings)

/** `id`: of a stored model whose key is used when none is given. */
export const modelTestSchema = z.object({ id: z.string().optional(), ...settings })
export const modelTestedSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), latency_ms: z.number(), answer: z.string() }),
  z.object({
    ok: z.literal(false),
    /** auth: the key · rejected: the model's name or the request · unreachable, timeout, unavailable: the server · garbage, cut: no such protocol. */
    kind: z.enum(['auth', 'rate_limit', 'rejected', 'unavailable', 'unreachable', 'timeout', 'cut', 'garbage', 'settings']),
    message: z.string(),
  }),
])

export type Model = z.infer<typeof modelSchema>
export type ModelPage = z.infer<typeof modelPageSchema>
export type NewModel = z.input<typeof newModelSchema>
export type ModelChange = z.input<typeof modelChangeSchema>
export type ModelTest = z.input<typeof modelTestSchema>
export type ModelTested = z.infer<typeof modelTestedSchema>
