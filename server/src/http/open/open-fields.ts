import { z } from 'zod'

/** Fields that many routes share. The wire takes ids as numbers or digit strings; code has digit strings. */
const MAX_ID = 2n ** 63n - 1n
const ID_RULE = 'must be a positive whole number, as a number or as a string of digits'

export const idField = z
  .union([z.int(ID_RULE), z.string().regex(/^\d{1,19}$/, ID_RULE)], { error: ID_RULE })
  .transform(String)
  .refine((text) => isId(text), ID_RULE)

function isId(text: string): boolean {
  if (!/^\d{1,19}$/.test(text)) return false
  const value = BigInt(text)
  return value > 0n && value <= MAX_ID
}

/** Absent, null and empty all mean: not given. */
export const optionalIdField = z
  .union([z.literal(''), idField], { error: ID_RULE })
  .nullish()
  .transform((id) => id || undefined)

const CONVERSATION_RULE = 'must be a conversation id, or an id of your own choice of 1 to 100 letters, digits and ._:@-'

/** Our id, or one that the caller chose ("conv_789"). */
export const conversationIdField = z
  .union([z.int(CONVERSATION_RULE).positive(CONVERSATION_RULE), z.string().regex(/^[A-Za-z0-9._:@-]{1,100}$/, CONVERSATION_RULE)], {
    error: CONVERSATION_RULE,
  })
  .transform(String)
  .refine((text) => !/^\d+$/.test(text) || isId(text), CONVERSATION_RULE)

export const optionalConversationIdField = z
  .union([z.literal(''), conversationIdField], { error: CONVERSATION_RULE })
  .nullish()
  .transform((id) => id || undefined)

/** The caller's own user id: any text, or a number. */
export const userIdField = z
  .union([z.string().max(255, 'must have at most 255 characters'), z.number().transform(String)], {
    error: 'must be a string of at most 255 characters',
  })
  .nullish()
  .transform((id) => id || undefined)

const META_RULE = 'must be an object of at most 16 texts: names of 1 to 64 characters, values of at most 512'

export const metaDataField = z
  .record(z.string().min(1, META_RULE).max(64, META_RULE), z.string(META_RULE).max(512, META_RULE), META_RULE)
  .refine((map) => Object.keys(map).length <= 16, META_RULE)
  .nullish()
  .transform((map) => map ?? {})

const PAGE_RULE = 'must be a page number from 1'

/** For routes that take it under more than one name. */
export const optionalPageNumberField = z.coerce
  .number(PAGE_RULE)
  .int(PAGE_RULE)
  .min(1, PAGE_RULE)
  .max(1_000_000, `${PAGE_RULE} to 1000000`)
  .optional()

export const pageNumberField = optionalPageNumberField.default(1)

export const pageSizeField = (most: number, usual = most) => {
  const rule = `must be a number from 1 to ${most}`
  return z.coerce.number(rule).int(rule).min(1, rule).max(most, rule).default(usual)
}

/** In a query, where it is text. */
export const booleanField = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false'], 'must be true or false'))
  .transform((text) => text === 'true')

/** Seconds, as the Open API writes times. */
export const toSeconds = (ms: number) => Math.floor(ms / 1000)
